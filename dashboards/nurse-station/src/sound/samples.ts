// The sound of a burst as an audio buffer: rendered once, then looped, so that a busy page does not break it.
import { bursts, harmonicsDb, lengthMs, risePart, type BurstName, type Pulse } from './burst';

/** Samples a second of the buffers: enough for the fifth harmonic of every pitch. */
export const sampleRate = 22_050;

/** Peak level of a pulse: room for the sum of its harmonics. */
const peak = 0.9;

function addPulse(context: OfflineAudioContext, wave: PeriodicWave, pulse: Pulse): void {
  const [start, length] = [pulse.atMs / 1000, pulse.lengthMs / 1000];
  const rise = length * risePart;
  const tone = new OscillatorNode(context, { type: 'custom', periodicWave: wave, frequency: pulse.pitch });
  const level = new GainNode(context, { gain: 0 });
  level.gain.setValueAtTime(0, start);
  level.gain.linearRampToValueAtTime(peak, start + rise);
  level.gain.setValueAtTime(peak, start + length - rise);
  level.gain.linearRampToValueAtTime(0, start + length);
  tone.connect(level).connect(context.destination);
  tone.start(start);
  tone.stop(start + length);
}

/** Renders one burst with the silence after it: a loop of the buffer is the burst with its repeats. */
export async function render(name: BurstName): Promise<AudioBuffer> {
  const shape = bursts[name];
  const soundingS = lengthMs(shape) / 1000;
  // Only what sounds is rendered; the silence after it costs nothing but zeros.
  const offline = new OfflineAudioContext(1, Math.ceil(soundingS * sampleRate), sampleRate);
  const parts = Float32Array.of(0, ...harmonicsDb.map((db) => 10 ** (db / 20)));
  const wave = offline.createPeriodicWave(new Float32Array(parts.length), parts);
  for (const pulse of shape.pulses) addPulse(offline, wave, pulse);
  const burst = await offline.startRendering();
  const loop = new AudioBuffer({
    length: Math.round((shape.periodMs / 1000) * sampleRate),
    numberOfChannels: 1,
    sampleRate,
  });
  loop.copyToChannel(burst.getChannelData(0), 0);
  return loop;
}

/** Every burst, by its name. */
export async function renderAll(names: readonly BurstName[]): Promise<Map<BurstName, AudioBuffer>> {
  const rendered = await Promise.all(names.map(async (name) => [name, await render(name)] as const));
  return new Map(rendered);
}
