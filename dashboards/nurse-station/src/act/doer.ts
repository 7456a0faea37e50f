// Does what a person asked for at the gateway that is heard, and says what came of it.

import { Code, ConnectError } from '@connectrpc/connect';

import { contextKind } from '../model/convert';
import { ms } from '../model/clock';
import type { Treatment } from '../model/treatment';
import { PauseScope } from '../wire/gen/ecmo/v1/alarm_pb';
import type { Treatment as WireTreatment } from '../wire/gen/ecmo/v1/treatment_pb';
import { CALL_MS, type Gateway } from '../wire/gateway';
import { treatmentOf, wireCase } from '../wire/treatment';
import type { Act, Outcome, PauseWhat, Refusal } from './act';

/** What actions need to know of the rest. */
export interface DoerSetting {
  /** The gateway whose alarms are known; null while none is. */
  gateway: () => Gateway | null;
  /** That gateway's time now, in ms. */
  now: () => number | null;
  /** Wards of the pumps that are shown. */
  wards: () => string[];
}

const OPTIONS = { timeoutMs: CALL_MS };

const nameless: Outcome<never> = { kind: 'refused', why: 'no-name', detail: '' };

export function doer(setting: DoerSetting): Act {
  const named = async <T>(by: string, call: (gateway: Gateway) => Promise<Done<T>>): Promise<Outcome<T>> => {
    return by.trim() === '' ? nameless : attempt(setting, call);
  };
  const treated = (
    by: string,
    call: (gateway: Gateway) => Promise<{ treatment?: WireTreatment | undefined }>,
  ) => {
    return named(by, async (gateway) => treatedAs(await call(gateway), setting.now()));
  };
  return {
    ...soundActs(setting, named),
    ...ownerActs(named),
    async confirmations(ward) {
      return attempt(setting, async ({ displays }) => {
        const { alarms } = await displays.listConfirmations({ ward }, OPTIONS);
        const value = alarms.map(({ occurrence, revision, confirmations, missing }) => {
          return { occurrence, revision, shown: confirmations.map(({ display }) => display), missing };
        });
        return { value, durable: true };
      });
    },
    async treatment(pump) {
      return attempt(setting, async ({ treatments }) => {
        const answer = await treatments.getTreatment(pump, OPTIONS);
        return treatedAs(answer, ms(answer.nowMonoNs));
      });
    },
    startTreatment: (pump, value, version, by) =>
      treated(by, ({ treatments }) =>
        treatments.startTreatment({ ...pump, case: wireCase(value), version: BigInt(version), by }, OPTIONS),
      ),
    changeCase: (pump, value, version, by) =>
      treated(by, ({ treatments }) =>
        treatments.changeCase({ ...pump, case: wireCase(value), version: BigInt(version), by }, OPTIONS),
      ),
    async previewLimit(pump, rule, number) {
      return attempt(setting, async ({ treatments }) => {
        const answer = await treatments.previewLimit({ ...pump, rule, number }, OPTIONS);
        const { wouldAlarm, inForceAlarms, unit } = answer;
        const [lowest, highest] = [answer.lowest ?? null, answer.highest ?? null];
        const covered = { coveredMs: ms(answer.coveredNs), withoutDataMs: ms(answer.withoutDataNs) };
        return { value: { wouldAlarm, inForceAlarms, unit, lowest, highest, ...covered }, durable: true };
      });
    },
    setLimit: (pump, rule, number, reason, version, by) =>
      treated(by, ({ treatments }) => {
        const request = { ...pump, rule, reason, version: BigInt(version), by };
        return treatments.setLimit(number === null ? request : { ...request, number }, OPTIONS);
      }),
    startContext: (pump, kind, minutes, by) =>
      treated(by, ({ treatments }) =>
        treatments.startContext({ ...pump, kind: contextKind(kind), minutes, by }, OPTIONS),
      ),
    endContext: (pump, kind, by) =>
      treated(by, ({ treatments }) =>
        treatments.endContext({ ...pump, kind: contextKind(kind), by }, OPTIONS),
      ),
  };
}

interface Done<T> {
  value: T;
  durable: boolean;
}

type Named = <T>(by: string, call: (gateway: Gateway) => Promise<Done<T>>) => Promise<Outcome<T>>;

function soundActs(
  setting: DoerSetting,
  named: Named,
): Pick<Act, 'acknowledge' | 'pause' | 'resume' | 'shelve' | 'unshelve'> {
  return {
    async acknowledge(shown, by, note = '') {
      const one = (alarm: (typeof shown)[number]): Promise<Outcome> =>
        named(by, async ({ alarms }) => {
          const { durable } = await alarms.acknowledgeAlarm({ ...alarm, by, note }, OPTIONS);
          return { value: undefined, durable };
        });
      // What a precondition refuses here is always an alarm that is another one than was shown.
      const told = (outcome: Outcome): Outcome =>
        outcome.kind === 'refused' && outcome.why === 'not-allowed'
          ? { ...outcome, why: 'changed' }
          : outcome;
      return Promise.all(shown.map(async (alarm) => ({ shown: alarm, outcome: told(await one(alarm)) })));
    },
    pause: (what, seconds, by) =>
      overWards(what, setting, (one) =>
        named(by, async ({ alarms }) => {
          const { paused, durable } = await alarms.pauseAudio({ ...scoped(one), seconds, by }, OPTIONS);
          return { value: paused, durable };
        }),
      ),
    resume: (what, by) =>
      overWards(what, setting, (one) =>
        named(by, async ({ alarms }) => {
          const { resumed, durable } = await alarms.resumeAudio({ ...scoped(one), by }, OPTIONS);
          return { value: resumed, durable };
        }),
      ),
    shelve: (occurrence, minutes, by, reason) =>
      named(by, async ({ alarms }) => {
        const { durable } = await alarms.shelveAlarm({ occurrence, minutes, by, reason }, OPTIONS);
        return { value: undefined, durable };
      }),
    unshelve: (pump, condition, by) =>
      named(by, async ({ alarms }) => {
        const { durable } = await alarms.unshelveAlarm({ ...pump, condition, by }, OPTIONS);
        return { value: undefined, durable };
      }),
  };
}

function ownerActs(named: Named): Pick<Act, 'accept' | 'handOver' | 'reject' | 'assignBed'> {
  const done = ({ durable }: { durable: boolean }): Done<undefined> => ({ value: undefined, durable });
  return {
    accept: (pump, by) =>
      named(by, async ({ owners }) => done(await owners.acceptPump({ ...pump, by }, OPTIONS))),
    handOver: (pump, by, to) =>
      named(by, async ({ owners }) => done(await owners.handOverPump({ ...pump, by, to }, OPTIONS))),
    reject: (pump, by) =>
      named(by, async ({ owners }) => done(await owners.rejectPump({ ...pump, by }, OPTIONS))),
    assignBed: (pump, bed, by) =>
      named(by, async ({ owners }) => done(await owners.assignBed({ ...pump, bed, by }, OPTIONS))),
  };
}

/** An empty ward means every ward that is shown: each is asked for by itself, and the worst answer counts. */
async function overWards(
  what: PauseWhat,
  setting: DoerSetting,
  call: (what: PauseWhat) => Promise<Outcome<number>>,
): Promise<Outcome<number>> {
  if (what.scope !== 'ward' || what.ward !== '') return call(what);
  const outcomes = await Promise.all(setting.wards().map((ward) => call({ scope: 'ward', ward })));
  const unconfirmed = outcomes.find(({ kind }) => kind === 'unconfirmed');
  if (unconfirmed !== undefined) return unconfirmed;
  const ok = outcomes.filter((outcome) => outcome.kind === 'ok');
  // A ward where nothing signals refuses: that is no failure while another one was paused.
  const refused = outcomes.find(({ kind }) => kind === 'refused');
  if (ok.length === 0) return refused ?? { kind: 'refused', why: 'not-allowed', detail: '' };
  const sum = ok.reduce((total, { value }) => total + value, 0);
  return { kind: 'ok', value: sum, durable: ok.every(({ durable }) => durable) };
}

function scoped(what: PauseWhat): { scope: PauseScope; occurrence?: string; ward?: string; pump?: string } {
  switch (what.scope) {
    case 'alarm':
      return { scope: PauseScope.ALARM, occurrence: what.occurrence };
    case 'pump':
      return { scope: PauseScope.PUMP, ward: what.ward, pump: what.pump };
    case 'ward':
      return { scope: PauseScope.WARD, ward: what.ward };
  }
}

function treatedAs(answer: { treatment?: WireTreatment | undefined }, now: number | null): Done<Treatment> {
  if (answer.treatment === undefined) throw new ConnectError('no treatment in the answer', Code.Internal);
  return { value: treatmentOf(answer.treatment, now), durable: answer.treatment.durable };
}

/** Asks the gateway that is heard, within 2 s. */
export async function attempt<T>(
  setting: Pick<DoerSetting, 'gateway'>,
  call: (gateway: Gateway) => Promise<Done<T>>,
): Promise<Outcome<T>> {
  const gateway = setting.gateway();
  if (gateway === null) return { kind: 'refused', why: 'no-link', detail: '' };
  try {
    return { kind: 'ok', ...(await call(gateway)) };
  } catch (error) {
    return failureOf(error);
  }
}

const REFUSALS: Partial<Record<Code, Refusal>> = {
  [Code.FailedPrecondition]: 'not-allowed',
  [Code.InvalidArgument]: 'invalid',
  [Code.OutOfRange]: 'invalid',
  [Code.NotFound]: 'gone',
  [Code.Aborted]: 'version',
  [Code.PermissionDenied]: 'not-allowed',
  [Code.Unauthenticated]: 'not-allowed',
  [Code.Unimplemented]: 'not-allowed',
};

/** A refusal is the gateway's own word; of everything else nobody knows whether it was done. */
export function failureOf(
  error: unknown,
): { kind: 'refused'; why: Refusal; detail: string } | { kind: 'unconfirmed' } {
  const { code, rawMessage } = ConnectError.from(error);
  const why = REFUSALS[code];
  return why === undefined ? { kind: 'unconfirmed' } : { kind: 'refused', why, detail: rawMessage };
}
