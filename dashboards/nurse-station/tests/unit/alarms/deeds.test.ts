// What a person asks for is checked, names exactly what was shown, and counts as done only when the gateway says so.
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { Act, AckOutcome, Outcome, ShownAlarm } from '../../../src/act/act';
import { attempts } from '../../../src/alarms/attempts.svelte';
import {
  acknowledge,
  canShelve,
  fieldsOf,
  minutesOf,
  send,
  shownOf,
  wrongIn,
  type Ask,
  type Entry,
} from '../../../src/alarms/deeds';
import { attemptText, refusalText } from '../../../src/alarms/outcome';
import { row } from './row';

const entry = (more: Partial<Entry> = {}): Entry => ({
  by: 'Ann',
  note: '',
  reason: '',
  minutes: '15',
  to: '',
  context: 'wean',
  ...more,
});
const done: Outcome = { kind: 'ok', value: undefined, durable: true };
const pump = { ward: 'nicu', pump: 'p1' };

beforeEach(() => attempts.list.forEach((each) => attempts.dismiss(each.number)));

describe('acknowledge', () => {
  it('names occurrence and revision as they were shown, whatever comes later', async () => {
    const shown = row({ revision: 7 });
    const what = shownOf(shown, 'p1 FLOW LOW');
    shown.revision = 8;
    const asked: ShownAlarm[][] = [];
    const act = {
      acknowledge: (all: ShownAlarm[]): Promise<AckOutcome[]> => {
        asked.push(all);
        return Promise.resolve(all.map((each) => ({ shown: each, outcome: done })));
      },
    } as unknown as Act;
    acknowledge(act, [what], 'Ann', 'kink');
    expect(asked).toEqual([[{ occurrence: shown.occurrence, revision: 7 }]]);
    expect(attempts.about(shown.occurrence)?.state.kind).toBe('waiting');
    await vi.waitFor(() => expect(attempts.list).toEqual([]));
  });

  it('keeps what was refused or never answered on the screen, and repeats exactly what was shown', async () => {
    let times = 0;
    const act = {
      acknowledge: (all: ShownAlarm[]): Promise<AckOutcome[]> => {
        times += 1;
        if (times === 1) {
          return Promise.resolve([
            { shown: all[0]!, outcome: { kind: 'refused', why: 'changed', detail: '' } },
            { shown: all[1]!, outcome: { kind: 'unconfirmed' } },
          ]);
        }
        expect(all).toEqual([{ occurrence: 'b', revision: 2 }]);
        return Promise.resolve([{ shown: all[0]!, outcome: done }]);
      },
    } as unknown as Act;
    const shown = [
      { key: 'a', occurrence: 'a', revision: 1, text: 'A' },
      { key: 'b', occurrence: 'b', revision: 2, text: 'B' },
    ];
    acknowledge(act, shown, 'Ann', '');
    await vi.waitFor(() =>
      expect(attempts.list.map((each) => each.state.kind)).toEqual(['refused', 'unconfirmed']),
    );
    // Another look is needed first where it has changed.
    expect(attempts.about('a')?.again).toBeUndefined();
    attempts.about('b')?.again?.();
    await vi.waitFor(() => expect(attempts.list.map((each) => each.about)).toEqual(['a']));
    expect(times).toBe(2);
  });

  it('takes a call that breaks for one that nobody answered', async () => {
    const act = { acknowledge: () => Promise.reject(new Error('cut')) } as unknown as Act;
    acknowledge(act, [{ key: 'c', occurrence: 'c', revision: 1, text: 'C' }], 'Ann', '');
    await vi.waitFor(() => expect(attempts.about('c')?.state.kind).toBe('unconfirmed'));
  });
});

describe('attempts', () => {
  it('say once that nothing is kept over a restart, and do not call that undone', async () => {
    const kept: Outcome = { kind: 'ok', value: undefined, durable: false };
    await attempts.run('one', () => Promise.resolve(kept), { about: 'o' });
    await attempts.run('two', () => Promise.resolve(kept), { about: 'o' });
    expect(attempts.list.map((each) => each.what)).toEqual(['two']);
    expect(attempts.about('o')).toBeUndefined();
  });

  it('keep refusals beside it', async () => {
    await attempts.run('three', () => Promise.resolve({ kind: 'refused', why: 'gone', detail: '' }));
    await attempts.run('four', () => Promise.resolve({ kind: 'ok', value: undefined, durable: false }));
    expect(attempts.list.map((each) => each.what)).toEqual(['three', 'four']);
  });
});

describe('entries', () => {
  it('asks for a name always, and for what the action needs', () => {
    const shelve: Ask = { kind: 'shelve', occurrence: 'o', condition: 'flow.low' };
    expect(fieldsOf(shelve)).toEqual(['by', 'minutes', 'reason']);
    expect(wrongIn(shelve, entry())).toEqual({ reason: 'act.need_reason' });
    expect(wrongIn(shelve, entry({ by: ' ', reason: 'x', minutes: '0' }))).toEqual({
      by: 'act.need_name',
      minutes: 'act.need_minutes',
    });
    expect(wrongIn({ kind: 'hand-over', pump }, entry())).toEqual({ to: 'act.need_to' });
    expect(wrongIn({ kind: 'accept', pump }, entry({ minutes: 'x' }))).toEqual({});
  });

  it('takes whole minutes only', () => {
    expect(minutesOf('15')).toBe(15);
    for (const text of ['', '0', '-1', '1.5', '1441', '99999', 'x']) expect(minutesOf(text), text).toBeNull();
  });

  it('sends what was entered, trimmed', async () => {
    const asked: unknown[][] = [];
    const take = (...all: unknown[]): Promise<Outcome> => {
      asked.push(all);
      return Promise.resolve(done);
    };
    const act = { shelve: take, handOver: take, startContext: take, pause: take } as unknown as Act;
    send(
      act,
      { kind: 'shelve', occurrence: 'o', condition: 'flow.low' },
      entry({ by: ' Ann ', reason: ' why ' }),
    );
    send(act, { kind: 'hand-over', pump }, entry({ to: ' Ben ' }));
    send(act, { kind: 'context', pump }, entry({ minutes: '30' }));
    send(act, { kind: 'pause', what: { scope: 'alarm', occurrence: 'o' }, about: '' }, entry());
    await vi.waitFor(() => expect(attempts.list).toEqual([]));
    expect(asked).toEqual([
      ['o', 15, 'Ann', 'why'],
      [pump, 'Ann', 'Ben'],
      [pump, 'wean', 30, 'Ann'],
      [{ scope: 'alarm', occurrence: 'o' }, 120, 'Ann'],
    ]);
  });
});

describe('shelving', () => {
  it('is not offered for high priority, nor for what no gateway shelves', () => {
    expect(canShelve(row())).toBe(true);
    expect(canShelve(row({ priority: 'high' }))).toBe(false);
    expect(canShelve(row({ audio: 'shelved' }))).toBe(false);
    expect(canShelve(row({ unheard: true }))).toBe(false);
    expect(canShelve(row({ pump: '' }))).toBe(false);
    for (const condition of [
      'air.suspected',
      'pump.stop',
      'comm.stale',
      'circuit.disconnection',
      'post.low',
    ]) {
      expect(canShelve(row({ condition })), condition).toBe(false);
    }
  });
});

describe('outcomes in words', () => {
  it('never says done for what is not, and says what to do', () => {
    expect(attemptText('en', 'pause', { kind: 'unconfirmed' })).toContain('NOT CONFIRMED');
    expect(attemptText('en', 'pause', { kind: 'ok', durable: false })).toContain('not kept on disk');
    expect(attemptText('en', 'pause', { kind: 'waiting' })).toContain('waiting');
    expect(refusalText('en', 'changed', '')).toContain('look again');
    expect(refusalText('en', 'invalid', '40 to 150')).toContain('40 to 150');
  });
});
