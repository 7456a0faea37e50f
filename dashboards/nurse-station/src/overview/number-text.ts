// What stands in the place of a number, by the state of the value. Never an old number, never none without a reason.
import type { Reason, Value, ValueState } from '../model/picture';
import { ageText, NO_NUMBER, valueNumber } from '../words/format';
import { language, say } from '../words/say';
import type { PlainKey } from '../words/lookup';

const reasons: Readonly<Record<Reason, PlainKey>> = {
  questionable: 'validity.questionable',
  'below-range': 'validity.below_range',
  'above-range': 'validity.above_range',
  'not-measured': 'validity.not_measured',
  'sensor-off': 'validity.sensor_off',
  'sensor-fault': 'validity.sensor_fault',
  calibrating: 'validity.calibrating',
  repeated: 'validity.stale',
  simulated: 'validity.simulated',
  'comm-lost': 'validity.comm_lost',
};

/** Why a value is no measurement, in a word. */
export function reasonText(reason: Reason): string {
  return say(reasons[reason]);
}

/** The number, or what stands for it. */
export function numberOf(value: Value): string {
  switch (value.state) {
    case 'live':
    case 'late':
    case 'standby':
      return value.value === null
        ? NO_NUMBER
        : valueNumber(language(), value.parameter, value.unit, value.value);
    case 'invalid':
      return say('value.invalid');
    case 'stale':
    case 'never-seen':
    case 'not-fitted':
      return NO_NUMBER;
  }
}

const plain: readonly ValueState[] = ['live', 'standby'];

/** What is said beside it: an age when it is late, a reason when it is none; empty for what holds now. */
export function besideNumber(value: Value): string {
  if (value.state === 'late')
    return value.ageMs === null ? say('value.late') : ageText(language(), value.ageMs);
  if (value.state === 'invalid') return reasonText(value.reason ?? 'sensor-fault');
  if (value.state === 'not-fitted') return say('value.not_fitted');
  if (value.state === 'never-seen') return say('value.waiting');
  if (value.state === 'stale') return value.reason === null ? say('value.stale') : reasonText(value.reason);
  // A measurement that a device doubts, or that is simulated, is shown with that word.
  return plain.includes(value.state) && value.reason !== null ? reasonText(value.reason) : '';
}
