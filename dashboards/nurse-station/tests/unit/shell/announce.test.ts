// What a screen reader is told of alarms.
import { expect, test } from 'vitest';

import { announce, nothingAnnounced, politeEveryMs, rowsMax } from '../../../src/shell/announce';
import { rowWith } from '../../fixture/pictures';

const keys = (rows: { key: string }[]): string[] => rows.map((row) => row.key);

test('a new high alarm is said at once, and once', () => {
  const row = rowWith({ priority: 'high' });
  const first = announce(nothingAnnounced, [row], 1000);
  expect(keys(first.assertive)).toEqual([row.key]);
  const second = announce(first.next, [row], 1250);
  expect(second.assertive).toEqual([]);
});

test('an alarm that calls again is said again', () => {
  const row = rowWith({ priority: 'high', call: 1 });
  const first = announce(nothingAnnounced, [row], 1000);
  expect(keys(announce(first.next, [{ ...row, call: 2 }], 1250).assertive)).toEqual([row.key]);
});

test('the others are said politely, at most so often, and none is lost', () => {
  const [one, two] = [rowWith({ priority: 'medium' }), rowWith({ priority: 'low' })];
  const first = announce(nothingAnnounced, [one], 1000);
  expect(keys(first.polite)).toEqual([one.key]);
  const second = announce(first.next, [one, two], 1250);
  expect(second.polite).toEqual([]);
  const third = announce(second.next, [one, two], 1000 + politeEveryMs);
  expect(keys(third.polite)).toEqual([two.key]);
});

test('a high alarm does not wait for what was said politely', () => {
  const first = announce(nothingAnnounced, [rowWith({ priority: 'medium' })], 1000);
  const high = rowWith({ priority: 'high' });
  expect(keys(announce(first.next, [high], 1001).assertive)).toEqual([high.key]);
});

test('of a flood some are said, and how many more there are', () => {
  const rows = Array.from({ length: 8 }, () => rowWith({ priority: 'high' }));
  const flood = announce(nothingAnnounced, rows, 1000);
  expect(flood.assertive).toHaveLength(rowsMax);
  expect(flood.more).toBe(8 - rowsMax);
  expect(announce(flood.next, rows, 1250).assertive).toEqual([]);
});

test('what somebody has in hand, and cards without sound, are not said', () => {
  const rows = [rowWith({ signals: false, state: 'acknowledged' }), rowWith({ priority: 'information' })];
  const said = announce(nothingAnnounced, rows, 1000);
  expect([...said.assertive, ...said.polite]).toEqual([]);
});
