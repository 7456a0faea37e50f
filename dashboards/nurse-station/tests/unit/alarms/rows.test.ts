// Order, filter and places of the alarm centre; the numbers of an alarm.
import { describe, expect, it } from 'vitest';

import { limitText, nowText, worstText } from '../../../src/alarms/evidence';
import {
  fits,
  hasJustMoved,
  isCovered,
  noFilter,
  ordered,
  placed,
  rowState,
  SETTLE_MS,
} from '../../../src/alarms/rows';
import type { Value } from '../../../src/model/picture';
import { row } from './row';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ').replaceAll('\u2212', '-');

describe('order', () => {
  it('puts what nobody has acknowledged first, then the more urgent, then the newer', () => {
    const rows = [
      row({ key: 'acknowledged high', priority: 'high', state: 'acknowledged', signals: false }),
      row({ key: 'old medium', sinceMs: 90_000 }),
      row({ key: 'new medium', sinceMs: 1_000 }),
      row({ key: 'low', priority: 'low', sinceMs: 10 }),
      row({ key: 'latched high', priority: 'high', state: 'latched', sinceMs: 500_000 }),
      row({ key: 'medium of unknown age', sinceMs: null }),
    ];
    expect(ordered(rows).map((each) => each.key)).toEqual([
      'latched high',
      'new medium',
      'old medium',
      'medium of unknown age',
      'low',
      'acknowledged high',
    ]);
  });

  it('keeps alike rows in place, whichever way they come', () => {
    const rows = ['a', 'b', 'c'].map((key) => row({ key }));
    expect(ordered(rows).map((each) => each.key)).toEqual(['a', 'b', 'c']);
    expect(ordered([...rows].reverse()).map((each) => each.key)).toEqual(['a', 'b', 'c']);
  });
});

describe('filter', () => {
  const words = ['blood flow low', 'FLOW LOW'];

  it('lets everything through at first', () => {
    expect(fits(noFilter, row({ priority: 'information', pump: '' }), words)).toBe(true);
  });

  it('looks at pump, priority, kind and text', () => {
    expect(fits({ ...noFilter, pump: 'nicu/p1' }, row(), words)).toBe(true);
    expect(fits({ ...noFilter, pump: 'nicu/p2' }, row(), words)).toBe(false);
    expect(fits({ ...noFilter, pump: 'nicu/p1' }, row({ pump: '' }), words)).toBe(false);
    expect(fits({ ...noFilter, priority: 'medium' }, row(), words)).toBe(true);
    expect(fits({ ...noFilter, priority: 'high' }, row(), words)).toBe(false);
    expect(fits({ ...noFilter, kind: 'technical' }, row(), words)).toBe(false);
    for (const text of ['Blood', 'flow.low', 'p1', '  LOW ', '']) {
      expect(fits({ ...noFilter, text }, row(), words), text).toBe(true);
    }
    expect(fits({ ...noFilter, text: 'air' }, row(), words)).toBe(false);
  });
});

describe('places', () => {
  it('takes no press on a row that has just come to its place', () => {
    const first = placed(new Map(), ['a', 'b'], 1_000);
    expect(hasJustMoved(first, 'a', 1_000 + SETTLE_MS - 1)).toBe(true);
    expect(hasJustMoved(first, 'a', 1_000 + SETTLE_MS)).toBe(false);
    const later = placed(first, ['new', 'a', 'b'], 60_000);
    expect(hasJustMoved(later, 'a', 60_100)).toBe(true);
    const still = placed(later, ['new', 'a', 'b'], 60_300);
    expect(hasJustMoved(still, 'a', 60_000 + SETTLE_MS)).toBe(false);
    expect(hasJustMoved(still, 'gone', 99_000)).toBe(true);
  });
});

describe('coverage', () => {
  it('covers what is there as long as the oldest revision that shows as much is not newer', () => {
    expect(isCovered(2, row({ coversFrom: 2 }))).toBe(true);
    expect(isCovered(2, row({ coversFrom: 3 }))).toBe(false);
    expect(isCovered(9, row({ state: 'ended' }))).toBe(false);
    expect(isCovered(9, undefined)).toBe(false);
  });

  it('says last known before anything else', () => {
    expect(rowState(row({ lastKnown: true, state: 'acknowledged' }))).toBe('last-known');
    expect(rowState(row({ lastKnown: true, state: 'ended' }))).toBe('ended');
    expect(rowState(row({ state: 'latched' }))).toBe('latched');
  });
});

describe('numbers of an alarm', () => {
  const value = (more: Partial<Value>): Value => ({
    parameter: 'flow.blood',
    unit: 'mL/min',
    state: 'live',
    value: 250,
    reason: null,
    ageMs: 20,
    last: null,
    low: null,
    high: null,
    crossed: null,
    alarm: null,
    ...more,
  });

  it('says worst, limit and now, each with its unit', () => {
    expect(plain(worstText('en', row()))).toBe('190 mL/min');
    // What is worse now is the worst, whatever the last revision said; what is better now changes nothing.
    const now = (worse: number): string => plain(worstText('en', row(), value({ value: worse })));
    expect([now(120), now(230)]).toEqual(['120 mL/min', '190 mL/min']);
    expect(plain(worstText('en', row(), value({ unit: 'L/min', value: 1 })))).toBe('190 mL/min');
    expect(plain(limitText('en', row({ limit: -62.5, parameter: 'press.drain', unit: 'mm[Hg]' })))).toBe(
      '< -62.5 mmHg',
    );
    expect(plain(limitText('en', row({ limit: 152.225, unit: 'mL/min', side: 'above' })))).toBe(
      '> 152.2 mL/min',
    );
    expect(plain(limitText('de', row({ limit: 0.5, side: 'above' })))).toBe('> 0,5 mL/min');
    expect(plain(nowText('en', row()))).toBe('212 mL/min');
  });

  it('takes the reading of now before the newest of the alarm, and never shows an old one without its age', () => {
    expect(plain(nowText('en', row(), value({})))).toBe('250 mL/min');
    expect(nowText('en', row(), value({ state: 'stale', value: null }))).toBe('- - -');
    expect(plain(nowText('en', row(), value({ unit: 'L/min' })))).toBe('212 mL/min');
    expect(plain(nowText('en', row({ valueAgeMs: 9_100 })))).toBe('212 mL/min (9.1 s ago)');
  });

  it('says nothing where there is nothing, and yes or no for a detector', () => {
    const air = row({ unit: '{bool}', value: 1, worst: 1, limit: 0.5, side: 'above' });
    expect([worstText('en', air), limitText('en', air), nowText('en', air)]).toEqual(['yes', '', 'yes']);
    const silent = row({ value: null, worst: null, limit: null });
    expect([worstText('en', silent), limitText('en', silent), nowText('en', silent)]).toEqual(['', '', '']);
    expect(nowText('en', row({ value: null }))).toBe('- - -');
  });
});
