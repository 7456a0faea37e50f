// The colours of every theme by the numbers of WCAG.
import { describe, expect, test } from 'vitest';

import { contrast } from '../../../src/shell/contrast';
import { pairs, themeNames, themes, variables } from '../../../src/shell/tokens';

describe('contrast', () => {
  test('is 21 between black and white, and 1 of a colour with itself', () => {
    expect(contrast('#000000', '#FFFFFF')).toBeCloseTo(21, 5);
    expect(contrast('#5A6570', '#5A6570')).toBe(1);
  });

  test('agrees with the figures that the reference computed', () => {
    const known: [string, string, number][] = [
      ['#000000', '#FF2D2D', 5.67],
      ['#FFFFFF', '#FF2D2D', 3.71],
      ['#FFFFFF', '#B00000', 7.38],
      ['#000000', '#FFD400', 14.7],
      ['#000000', '#3FD0E0', 11.3],
      ['#E8EEF4', '#05070A', 17.3],
      ['#8A949E', '#000000', 6.8],
      ['#2A2F36', '#05070A', 1.5],
      ['#5A6570', '#05070A', 3.4],
    ];
    for (const [ink, on, ratio] of known) {
      expect(Math.abs(contrast(ink, on) - ratio), `${ink} on ${on}`).toBeLessThanOrEqual(0.06);
    }
  });

  test('refuses what is no colour', () => {
    expect(() => contrast('red', '#000000')).toThrow('not a colour');
  });
});

describe.each(themeNames)('the theme %s', (name) => {
  test.each(pairs(themes[name]))('shows $what ($ink on $on) at $least or more', ({ ink, on, least }) => {
    expect(contrast(ink, on)).toBeGreaterThanOrEqual(least);
  });

  test('tells both phases of what flashes apart, without losing its words in either', () => {
    for (const signal of [themes[name].high, themes[name].medium]) {
      expect(contrast(signal.fill, signal.fillOff)).toBeGreaterThanOrEqual(2.5);
    }
  });

  test('keeps the alarm colours of the others', () => {
    for (const priority of ['high', 'medium', 'low'] as const) {
      const { fill, ink, fillOff, inkOff } = themes[name][priority];
      expect({ fill, ink, fillOff, inkOff }).toEqual(
        (({ fill, ink, fillOff, inkOff }) => ({ fill, ink, fillOff, inkOff }))(themes.dim[priority]),
      );
    }
  });

  test('gives every colour a custom property, each once', () => {
    const names = variables(themes[name]).map(([property]) => property);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('--high-fill-off');
    expect(names).toContain('--notice-fill');
  });
});

/** Hue in degrees and saturation 0 to 1. */
function hue(colour: string): { hue: number; saturation: number } {
  const bits = Number.parseInt(colour.slice(1), 16);
  const [r, g, b] = [bits >> 16, (bits >> 8) & 255, bits & 255] as [number, number, number];
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  if (most === least) return { hue: 0, saturation: 0 };
  const span = most - least;
  const turn = most === r ? ((g - b) / span + 6) % 6 : most === g ? (b - r) / span + 2 : (r - g) / span + 4;
  return { hue: turn * 60, saturation: span / most };
}

test('no theme has a green: nothing says fine', () => {
  for (const name of themeNames) {
    for (const [property, colour] of variables(themes[name])) {
      const { hue: degrees, saturation } = hue(colour);
      const green = degrees > 75 && degrees < 165 && saturation > 0.25;
      expect(green, `${name} ${property} ${colour}`).toBe(false);
    }
  }
});
