// What the pen leaves on small canvases, pixel by pixel: a gap stays a gap, the wrap, the blank before the pen, saturation.
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type * as Subject from '../../src/draw/painter';
import { bundle } from './rig/bundle';

const [ground, trace, hatch] = ['#000000', '#ffffff', '#5a6570'];
/** 120 columns for 6 s: a column is 50 ms. One lane of 40 rows. */
const [width, height, seconds] = [120, 40, 6];
const columnMs = (seconds * 1000) / width;
const playoutMs = 300;

type Step =
  | { do: 'push'; startMs: number; periodMs: number; values: (number | null)[] }
  | { do: 'paint'; fromMs: number; toMs: number; everyMs?: number }
  | { do: 'silent'; silent: boolean }
  | { do: 'clear' }
  | { do: 'resize'; width: number; height: number };

let browser: Browser;
let page: Page;

beforeAll(async () => {
  const script = await bundle('src/draw/painter.ts');
  browser = await chromium.launch({
    executablePath: process.env['ECMO_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
  page = await browser.newPage();
  await page.addScriptTag({ content: script });
});

afterAll(async () => {
  await browser.close();
});

/** For every column: "." ground, "t" some trace, "h" hatch and no trace. */
async function columns(steps: Step[]): Promise<string> {
  const pixels = await draw(steps);
  return Array.from({ length: pixels.width }, (_, x) => {
    const rows = Array.from({ length: pixels.height }, (_, y) => pixels.at(x, y));
    if (rows.some((grey) => grey > 110)) return 't';
    return rows.some((grey) => grey > 40) ? 'h' : '.';
  }).join('');
}

async function draw(
  steps: Step[],
): Promise<{ width: number; height: number; at: (x: number, y: number) => number }> {
  const options = {
    lanes: [{ scale: { low: 0, high: 100 }, colour: trace }],
    ...{ x: 0, y: 0, width, height, ratio: 1, seconds, ground, hatch },
  };
  const image = await page.evaluate(
    ({ options, steps }) => {
      const { SweepPainter } = (globalThis as never as { subject: typeof Subject }).subject;
      const canvas = new OffscreenCanvas(options.width, options.height);
      const context = canvas.getContext('2d', { alpha: false });
      if (context === null) throw new Error('no canvas');
      const painter = new SweepPainter(context, options);
      for (const step of steps) {
        if (step.do === 'push') {
          painter.push(
            0,
            step.startMs,
            step.periodMs,
            step.values.map((value) => value ?? Number.NaN),
          );
        } else if (step.do === 'silent') painter.setSilent(0, step.silent);
        else if (step.do === 'clear') painter.clear();
        else if (step.do === 'resize') {
          canvas.width = step.width;
          canvas.height = step.height;
          painter.move({ x: 0, y: 0, width: step.width, height: step.height, ratio: 1 });
        } else {
          const every = step.everyMs ?? 33;
          for (let now = step.fromMs; now < step.toMs; now += every) painter.paint(now);
          painter.paint(step.toMs);
        }
      }
      const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
      const grey = Array.from({ length: width * height }, (_, at) => data[at * 4] ?? 0);
      return { grey, width, height };
    },
    { options, steps },
  );
  return { ...image, at: (x, y) => image.grey[y * image.width + x] ?? 0 };
}

const samples = (startMs: number, endMs: number, value: number | null = 50, periodMs = 10): Step => ({
  do: 'push',
  startMs,
  periodMs,
  values: Array.from({ length: (endMs - startMs) / periodMs }, () => value),
});
/** Paints as if the pen were at these times. */
const pen = (fromMs: number, toMs: number): Step => ({
  do: 'paint',
  fromMs: fromMs + playoutMs,
  toMs: toMs + playoutMs,
});
const at = (timeMs: number): number => Math.floor((timeMs % (seconds * 1000)) / columnMs);

describe('a sweep', () => {
  test('is drawn from edge to edge over a lap, with the blank before the pen', async () => {
    const shown = await columns([samples(0, 9000), pen(0, 8000)]);
    const penColumn = at(8000);
    expect(shown.slice(0, penColumn - 1)).toMatch(/^t+$/);
    expect(shown.slice(penColumn + 2, penColumn + 13)).toMatch(/^\.+$/);
    expect(shown.slice(penColumn + 15)).toMatch(/^t+$/);
  });

  test('goes over the right edge and comes in from the left one without a line back', async () => {
    const rising = Array.from({ length: 900 }, (_, index) => (index / 900) * 100);
    const pixels = await draw([{ do: 'push', startMs: 0, periodMs: 10, values: rising }, pen(0, 6500)]);
    // What is left of the last lap shows its own line; a line back would cross it all.
    for (let x = at(6500) + 20; x < width - 1; x += 3) {
      const row = 2 + (1 - (x * columnMs) / 9000) * (height - 4);
      const bright = Array.from({ length: height }, (_, y) => y).filter((y) => pixels.at(x, y) > 60);
      expect(bright.length, `column ${x}`).toBeGreaterThan(0);
      for (const y of bright) expect(Math.abs(y - row), `column ${x}`).toBeLessThanOrEqual(2.5);
    }
  });

  test('does not draw ahead of the last sample', async () => {
    const shown = await columns([samples(0, 2000), pen(0, 2000), pen(2000, 4500)]);
    expect(shown.slice(0, at(1900))).toMatch(/^h?t+$/);
    expect(shown.slice(at(2000) + 1, at(2000) + 13)).toMatch(/^\.+$/);
    // Beyond the blank is what was there before: nothing is known of it.
    expect(shown.slice(at(2000) + 16)).toMatch(/^h+$/);
  });

  test('of values beyond the scale stays on its edge', async () => {
    for (const [value, row] of [
      [32_767, 2],
      [-32_768, height - 2],
    ] as const) {
      const pixels = await draw([samples(0, 3000, value), pen(0, 2900)]);
      const bright = Array.from({ length: height }, (_, y) => y).filter((y) => pixels.at(20, y) > 120);
      expect(bright.length).toBeGreaterThan(0);
      for (const y of bright) expect(Math.abs(y - row)).toBeLessThanOrEqual(2);
    }
  });
});

describe('before its first picture a canvas is hatched', () => {
  test.each<[string, Step[]]>([
    ['that is new', []],
    [
      'that was given another size',
      [samples(0, 3000), pen(0, 2900), { do: 'resize', width: 90, height: 50 }],
    ],
    ['whose samples are of another clock', [samples(0, 3000), pen(0, 2900), { do: 'clear' }]],
  ])('%s', async (_what, steps) => {
    expect(await columns(steps)).toMatch(/^h{90,}$/);
  });
});

describe('a gap', () => {
  const gapFrom = 2000;
  const gapTo = 3000;

  function expectGap(shown: string): void {
    expect(shown.slice(2, at(gapFrom) - 1)).toMatch(/^t+$/);
    expect(shown.slice(at(gapFrom) + 1, at(gapTo) - 1)).toMatch(/^h+$/);
    expect(shown.slice(at(gapTo) + 1, at(4000) - 1)).toMatch(/^t+$/);
  }

  test('of missing time is hatched and never bridged', async () => {
    expectGap(await columns([samples(0, gapFrom), samples(gapTo, 5000), pen(0, 4000)]));
  });

  test('of samples that do not hold is hatched and never bridged', async () => {
    expectGap(
      await columns([samples(0, gapFrom), samples(gapFrom, gapTo, null), samples(gapTo, 5000), pen(0, 4000)]),
    );
  });

  test('stays a gap when the picture is drawn anew', async () => {
    const steps = [samples(0, gapFrom), samples(gapTo, 5000), pen(0, 4000)];
    expectGap(await columns([...steps, { do: 'resize', width, height }, pen(4000, 4000)]));
  });

  test('is filled by what comes late, at its own place', async () => {
    const shown = await columns([
      samples(0, gapFrom),
      samples(gapTo, 5000),
      pen(0, 4000),
      samples(gapFrom, gapTo),
      pen(4000, 4033),
    ]);
    expect(shown.slice(2, at(4000) - 1)).toMatch(/^t+$/);
  });

  test('over the right edge is hatched on both sides', async () => {
    const shown = await columns([samples(0, 5500), samples(6500, 9000), pen(0, 7500)]);
    expect(shown.slice(0, at(6500) - 1)).toMatch(/^h+$/);
    expect(shown.slice(at(6500) + 1, at(7500) - 1)).toMatch(/^t+$/);
    expect(shown.slice(at(5500) + 1)).toMatch(/^h+$/);
  });

  test('of a trace that fell silent grows until nothing of the trace is left', async () => {
    const silent: Step = { do: 'silent', silent: true };
    const after = await columns([samples(0, 2000), pen(0, 2000), silent, pen(2000, 4000)]);
    expect(after.slice(at(2000) + 1, at(4000) - 1)).toMatch(/^h+$/);
    expect(after.slice(2, at(1900))).toMatch(/^t+$/);
    const gone = await columns([samples(0, 2000), pen(0, 2000), silent, pen(2000, 9000)]);
    expect(gone).toMatch(/^[h.]+$/);
    expect(gone.match(/h/g)?.length).toBeGreaterThan(width - 20);
  });
});

test('a lane of which nothing ever came is hatched', async () => {
  const shown = await columns([pen(0, 3000)]);
  expect(shown).toMatch(/^[h.]+$/);
  expect(shown.match(/h/g)?.length).toBeGreaterThan(width - 20);
});

test('another clock wipes the picture', async () => {
  const shown = await columns([
    samples(0, 5000),
    pen(0, 4500),
    { do: 'clear' },
    samples(100, 400),
    pen(100, 350),
  ]);
  expect(shown.slice(at(400) + 16)).not.toContain('t');
});

test('a page that was away for long draws what is left of the last lap, and not more', async () => {
  const shown = await columns([samples(0, 50_500), pen(0, 1000), pen(50_000, 50_000)]);
  expect(shown.match(/t/g)?.length).toBeGreaterThan(width - 20);
});
