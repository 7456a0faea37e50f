// What came of an action: done, refused by the gateway's own word, or unknown.

import { Code, ConnectError, createRouterTransport, createClient } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';

import { doer, failureOf } from '../../../src/act/doer';
import { AlarmService } from '../../../src/wire/gen/ecmo/v1/alarm_service_pb';
import { PauseScope } from '../../../src/wire/gen/ecmo/v1/alarm_pb';
import { TreatmentService } from '../../../src/wire/gen/ecmo/v1/treatment_service_pb';
import type { Gateway } from '../../../src/wire/gateway';
import type { Act } from '../../../src/act/act';

type AlarmCalls = Parameters<Parameters<typeof createRouterTransport>[0]>[0];

/** People's actions at a gateway that answers like this. */
function actAt(routes: (router: AlarmCalls) => void, wards: string[] = ['nicu']): Act {
  const transport = createRouterTransport(routes);
  const gateway = {
    url: '',
    alarms: createClient(AlarmService, transport),
    treatments: createClient(TreatmentService, transport),
  };
  return doer({ gateway: () => gateway as Gateway, now: () => 0, wards: () => wards });
}

const shown = [
  { occurrence: 'o1', revision: 3 },
  { occurrence: 'o2', revision: 1 },
];

describe('an acknowledgement', () => {
  it('names what was shown, and tells of each alarm by itself what came of it', async () => {
    const asked: unknown[] = [];
    const act = actAt(({ rpc }) => {
      rpc(AlarmService.method.acknowledgeAlarm, ({ occurrence, revision, by, note }) => {
        asked.push([occurrence, revision, by, note]);
        if (occurrence === 'o2') throw new ConnectError('changed since', Code.FailedPrecondition);
        return { durable: true };
      });
    });
    const outcomes = await act.acknowledge(shown, 'Mia', 'I am there');
    expect(asked).toEqual([
      ['o1', 3, 'Mia', 'I am there'],
      ['o2', 1, 'Mia', 'I am there'],
    ]);
    expect(outcomes.map(({ outcome }) => outcome)).toEqual([
      { kind: 'ok', value: undefined, durable: true },
      { kind: 'refused', why: 'changed', detail: 'changed since' },
    ]);
  });

  it('that gets no answer is unconfirmed', async () => {
    const act = actAt(({ rpc }) => {
      rpc(AlarmService.method.acknowledgeAlarm, async (_request, { signal }) => {
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
        throw new ConnectError('late', Code.DeadlineExceeded);
      });
    });
    const started = performance.now();
    const [first] = await act.acknowledge([shown[0]!], 'Mia');
    expect(first?.outcome).toEqual({ kind: 'unconfirmed' });
    expect(performance.now() - started, 'within two seconds and a little').toBeLessThan(4_000);
  }, 10_000);

  it('needs a name, and is not sent without one', async () => {
    const act = actAt(({ rpc }) => {
      rpc(AlarmService.method.acknowledgeAlarm, () => {
        throw new Error('it was sent');
      });
    });
    const outcomes = await act.acknowledge(shown, '  ');
    expect(outcomes.map(({ outcome }) => outcome.kind === 'refused' && outcome.why)).toEqual([
      'no-name',
      'no-name',
    ]);
  });

  it('goes nowhere while no gateway is heard', async () => {
    const act = doer({ gateway: () => null, now: () => null, wards: () => [] });
    const [first] = await act.acknowledge([shown[0]!], 'Mia');
    expect(first?.outcome).toMatchObject({ kind: 'refused', why: 'no-link' });
  });
});

describe('a pause', () => {
  const paused = (answer: (ward: string) => number): Act =>
    actAt(
      ({ rpc }) => {
        rpc(AlarmService.method.pauseAudio, ({ ward, scope, seconds }) => {
          expect([scope, seconds]).toEqual([PauseScope.WARD, 120]);
          const count = answer(ward);
          if (count < 0) throw new ConnectError('lost', Code.Unavailable);
          if (count === 0) throw new ConnectError('nothing signals', Code.FailedPrecondition);
          return { paused: count, durable: true };
        });
      },
      ['nicu', 'picu'],
    );
  const every = { scope: 'ward', ward: '' } as const;

  it('of every ward is done where something signals', async () => {
    expect(await paused((ward) => (ward === 'nicu' ? 2 : 0)).pause(every, 120, 'Mia')).toMatchObject({
      kind: 'ok',
      value: 2,
    });
    expect(await paused(() => 3).pause(every, 120, 'Mia')).toMatchObject({ kind: 'ok', value: 6 });
    expect(await paused(() => 0).pause(every, 120, 'Mia')).toMatchObject({
      kind: 'refused',
      why: 'not-allowed',
    });
  });

  it('of which one ward is not known is unconfirmed', async () => {
    expect(await paused((ward) => (ward === 'nicu' ? 2 : -1)).pause(every, 120, 'Mia')).toEqual({
      kind: 'unconfirmed',
    });
  });
});

describe('a failure', () => {
  it('is a refusal by the gateway only where the gateway says so', () => {
    for (const [code, kind] of [
      [Code.NotFound, 'gone'],
      [Code.InvalidArgument, 'invalid'],
      [Code.Aborted, 'version'],
      [Code.FailedPrecondition, 'not-allowed'],
      [Code.Unavailable, null],
      [Code.DeadlineExceeded, null],
      [Code.Canceled, null],
      [Code.Internal, null],
      [Code.Unknown, null],
      [Code.ResourceExhausted, null],
    ] as const) {
      const failure = failureOf(new ConnectError('x', code));
      expect(failure.kind === 'refused' ? failure.why : null, Code[code]).toBe(kind);
    }
    expect(failureOf(new TypeError('network')).kind).toBe('unconfirmed');
  });
});

describe('a limit', () => {
  it('that is taken back names no number', async () => {
    const asked: (number | undefined)[] = [];
    const act = actAt(({ rpc }) => {
      rpc(TreatmentService.method.setLimit, ({ number }) => {
        asked.push(number);
        return { treatment: { version: 4n } };
      });
    });
    const pump = { ward: 'nicu', pump: 'p1' };
    expect(await act.setLimit(pump, 'flow.low', 0, 'weaning', 3, 'Mia')).toMatchObject({
      kind: 'ok',
      value: { version: 4 },
    });
    await act.setLimit(pump, 'flow.low', null, 'weaning', 3, 'Mia');
    expect(asked).toEqual([0, undefined]);
  });

  it('whose answer tells nothing is unconfirmed', async () => {
    const act = actAt(({ rpc }) => {
      rpc(TreatmentService.method.setLimit, () => ({}));
    });
    expect(await act.setLimit({ ward: 'n', pump: 'p' }, 'r', 1, 'why', 3, 'Mia')).toEqual({
      kind: 'unconfirmed',
    });
  });
});
