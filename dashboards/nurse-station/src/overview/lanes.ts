// Which three channels a tile draws, in which colour and between which values. Pure.
import type { SweepLane } from '../work/station';
import type { Tokens } from '../shell/tokens';

export interface LaneChoice {
  parameter: string;
  colour: keyof Pick<Tokens, 'flow' | 'venous' | 'arterial'>;
  low: number;
  high: number;
}

/** From the top: after the membrane (arterial), drainage (venous), flow. In mmHg and mL/min; beyond is drawn on the edge. */
export const tileLanes: readonly LaneChoice[] = [
  { parameter: 'press.post', colour: 'arterial', low: 0, high: 250 },
  { parameter: 'press.drain', colour: 'venous', low: -90, high: 20 },
  { parameter: 'flow.blood', colour: 'flow', low: -50, high: 800 },
];

/** The lanes with the colours of a theme. */
export function lanesWith(tokens: Tokens, choices: readonly LaneChoice[] = tileLanes): SweepLane[] {
  return choices.map(({ parameter, colour, low, high }) => ({
    parameter,
    low,
    high,
    colour: tokens[colour],
  }));
}
