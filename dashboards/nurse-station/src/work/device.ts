// What the gateway knows of a pump's agent, clock and record, as the screen of one pump reads it.

import { ms } from '../model/clock';
import type { DevicePicture } from '../model/device';
import type { PumpView } from '../model/pump';
import { type AgentHeartbeat, SourceState, SpoolState } from '../wire/gen/ecmo/v1/heartbeat_pb';

type Agent = NonNullable<DevicePicture['agent']>;

export function deviceOf({ pump, now }: PumpView): DevicePicture {
  const { clock, agent, completeness, refusedChannels } = pump;
  const heard = pump.agentMonoNs;
  const heardAgeMs = heard === undefined || now === null ? null : Math.max(0, now - ms(heard));
  const wall = clock?.wallDifferenceNs;
  return {
    clock:
      clock === undefined
        ? null
        : {
            uncertaintyMs: ms(clock.uncertaintyNs),
            roundTripMs: ms(clock.roundTripNs),
            wallDifferenceMs: wall === undefined ? null : ms(wall),
          },
    agent: agent === undefined ? null : { heardAgeMs, ...agentOf(agent) },
    completeness:
      completeness === undefined
        ? null
        : {
            kept: Number(completeness.framesKept),
            missing: Number(completeness.framesMissing),
            lost: Number(completeness.framesLost),
            recording: completeness.recording,
          },
    refused: refusedChannels.map(({ id, reason }) => ({ id, reason })),
  };
}

function agentOf({ spool, localAlarm, sources }: AgentHeartbeat): Omit<Agent, 'heardAgeMs'> {
  return {
    spool: spool === undefined ? null : spoolOf(spool.state),
    localAlarm:
      localAlarm === undefined
        ? null
        : { leased: localAlarm.leased, sounding: localAlarm.sounding, failed: localAlarm.failed },
    sources: sources.map(({ device, state }) => ({ device, state: sourceOf(state) })),
  };
}

function spoolOf(state: SpoolState): Agent['spool'] {
  switch (state) {
    case SpoolState.RECORDING:
      return 'recording';
    case SpoolState.FULL:
      return 'full';
    case SpoolState.BEHIND:
      return 'behind';
    default:
      return 'failed';
  }
}

function sourceOf(state: SourceState): Agent['sources'][number]['state'] {
  if (state === SourceState.LIVE) return 'live';
  return state === SourceState.SILENT ? 'silent' : 'off';
}
