// Who is here: the gateway's word where it asks, the display's own otherwise.
import { beforeEach, expect, test } from 'vitest';

import { prefs } from '../../../src/settings/prefs.svelte';
import { isAllowed } from '../../../src/settings/roles';

const nobody = { asked: true, hasPin: true, name: '', breakGlass: false, allowed: [] };
const ann = { ...nobody, name: 'Ann', allowed: ['AlarmService/AcknowledgeAlarm', 'AlarmService/PauseAudio'] };

beforeEach(() => {
  prefs.take({ ...nobody, asked: false });
  prefs.name = 'Said';
  prefs.role = 'nurse';
});

test('a button is there when the gateway allows its call, and none before somebody has signed in', () => {
  expect(prefs.may('shelve')).toBe(true);
  prefs.take(nobody);
  expect([prefs.may('acknowledge'), prefs.may('shelve'), prefs.may('test-sound')]).toEqual([
    false,
    false,
    true,
  ]);
  expect(prefs.name).toBe('');
  prefs.take(ann);
  expect([prefs.may('acknowledge'), prefs.may('pause'), prefs.may('shelve')]).toEqual([true, true, false]);
  expect(isAllowed(['TreatmentService/SetLimit'], 'limit')).toBe(true);
});

test('a session that ended by itself is told until somebody signs in', () => {
  prefs.take(nobody);
  expect(prefs.isOver).toBe(false);
  prefs.take(ann);
  prefs.take(nobody);
  prefs.take(nobody);
  expect([prefs.isOver, prefs.name]).toEqual([true, '']);
  prefs.take(ann);
  expect([prefs.isOver, prefs.name]).toEqual([false, 'Ann']);
  prefs.signedOut();
  prefs.take(nobody);
  expect(prefs.isOver).toBe(false);
});
