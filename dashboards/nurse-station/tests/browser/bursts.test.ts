// The bursts as the browser renders them: their pulses by the envelope, their harmonics by a spectrum.
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { bursts, burstNames, lengthMs, risePart, type BurstName } from '../../src/sound/burst';
import { sampleRate } from '../../src/sound/samples';
import type * as Subject from '../../src/sound/samples';
import { bundle } from './rig/bundle';

let browser: Browser;
let page: Page;
const rendered = new Map<BurstName, Float32Array>();

beforeAll(async () => {
  const script = await bundle('src/sound/samples.ts');
  browser = await chromium.launch({
    executablePath: process.env['ECMO_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
  page = await browser.newPage();
  await page.addScriptTag({ content: script });
  for (const name of burstNames) rendered.set(name, await render(name));
});

afterAll(async () => {
  await browser.close();
});

/** The loop of a burst as the page has it. */
async function render(name: BurstName): Promise<Float32Array> {
  const text = await page.evaluate(async (name) => {
    const { render } = (globalThis as never as { subject: typeof Subject }).subject;
    const buffer = await render(name);
    const samples = buffer.getChannelData(0);
    const bytes = Int16Array.from(samples, (sample) => Math.round(sample * 32_767));
    let binary = '';
    for (const byte of new Uint8Array(bytes.buffer)) binary += String.fromCharCode(byte);
    return btoa(binary);
  }, name);
  const bytes = Buffer.from(text, 'base64');
  const words = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
  return Float32Array.from(words, (word) => word / 32_767);
}

/** Begin and length of each pulse, in ms, where the envelope is above a twentieth of full. */
function pulses(samples: Float32Array): { atMs: number; lengthMs: number }[] {
  const windowMs = 5;
  const window = Math.round((sampleRate * windowMs) / 1000);
  const found: { atMs: number; lengthMs: number }[] = [];
  let begin: number | null = null;
  for (let at = 0; at <= samples.length; at += window) {
    const part = samples.subarray(at, at + window);
    const loud = part.length > 0 && part.some((sample) => Math.abs(sample) > 0.05);
    const nowMs = (at / sampleRate) * 1000;
    if (loud && begin === null) begin = nowMs;
    if (!loud && begin !== null) {
      found.push({ atMs: begin, lengthMs: nowMs - begin });
      begin = null;
    }
  }
  return found;
}

/** Level of a frequency in the middle of a pulse, in dB. */
function level(samples: Float32Array, atMs: number, forMs: number, hertz: number): number {
  const first = Math.round((sampleRate * (atMs + forMs * 0.25)) / 1000);
  const count = Math.round((sampleRate * forMs * 0.5) / 1000);
  let [real, imaginary] = [0, 0];
  for (let index = 0; index < count; index += 1) {
    const angle = (2 * Math.PI * hertz * index) / sampleRate;
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / count);
    real += (samples[first + index] ?? 0) * hann * Math.cos(angle);
    imaginary += (samples[first + index] ?? 0) * hann * Math.sin(angle);
  }
  return 20 * Math.log10(Math.hypot(real, imaginary) / count + 1e-9);
}

describe.each(burstNames)('the rendered burst %s', (name) => {
  test('has its pulses where and as long as they should be', () => {
    const found = pulses(rendered.get(name)!);
    expect(found).toHaveLength(bursts[name].pulses.length);
    found.forEach((pulse, at) => {
      const wanted = bursts[name].pulses[at]!;
      // The envelope begins within the rise and ends within the fall.
      expect(Math.abs(pulse.atMs - wanted.atMs)).toBeLessThanOrEqual(10);
      expect(Math.abs(pulse.lengthMs - wanted.lengthMs)).toBeLessThanOrEqual(2 * risePart * wanted.lengthMs);
    });
  });

  test('is silent from its end to the end of its period', () => {
    const samples = rendered.get(name)!;
    expect(samples).toHaveLength(Math.round((bursts[name].periodMs / 1000) * sampleRate));
    const rest = samples.subarray(Math.ceil((lengthMs(bursts[name]) / 1000) * sampleRate) + 1);
    expect(rest.some((sample) => sample !== 0)).toBe(false);
  });

  test('has four harmonics within 15 dB of its fundamental, and none is clipped', () => {
    const samples = rendered.get(name)!;
    for (const { atMs, lengthMs: forMs, pitch } of bursts[name].pulses) {
      const base = level(samples, atMs, forMs, pitch);
      const others = [2, 3, 4, 5].map((times) => level(samples, atMs, forMs, pitch * times));
      for (const other of others) expect(Math.abs(other - base)).toBeLessThanOrEqual(15);
      // Between the harmonics there is nothing: what is measured are harmonics.
      expect(level(samples, atMs, forMs, pitch * 1.5)).toBeLessThan(base - 20);
    }
    expect(samples.every((sample) => Math.abs(sample) < 1)).toBe(true);
  });

  test('has pulses within 10 dB of each other', () => {
    const samples = rendered.get(name)!;
    const levels = bursts[name].pulses.map(({ atMs, lengthMs: forMs, pitch }) =>
      level(samples, atMs, forMs, pitch),
    );
    expect(Math.max(...levels) - Math.min(...levels)).toBeLessThanOrEqual(10);
  });
});
