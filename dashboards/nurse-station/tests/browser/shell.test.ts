// The shell and the overview on made-up pictures: sizes, one phase of all that flashes, keys, sound, and axe.
import { createRequire } from 'node:module';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Fixture, type Look } from './rig/fixture';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let fixture: Fixture;
let browser: Browser;

beforeAll(async () => {
  fixture = await Fixture.serve();
  browser = await fixture.browse();
}, 60_000);

afterAll(async () => {
  await fixture.close();
});

async function withPage(look: Look, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await fixture.open(browser, look);
  try {
    await use(page);
  } finally {
    await page.context().close();
  }
}

test('the most urgent alarm is written at least 40 px high, and all of it can be seen', async () => {
  await withPage({ picture: 'states' }, async (page) => {
    const large = page.getByTestId('highest').getByTestId('alarm').first();
    expect(await large.innerText()).toMatch(/Bed 1\s+\*\*\* FLOW VERY LOW\s+208\s*<\s*256/);
    const size = await large.evaluate((element) => Number.parseFloat(getComputedStyle(element).fontSize));
    expect(size).toBeGreaterThanOrEqual(40);
    expect(await large.evaluate((element) => element.scrollWidth <= element.clientWidth)).toBe(true);
  });
});

test('every button is at least 44 px wide and high', async () => {
  await withPage({ picture: 'lost' }, async (page) => {
    const sizes = await page.locator('button, .button.tab').evaluateAll((elements) =>
      elements.map((element) => {
        const { width, height } = element.getBoundingClientRect();
        return { width, height, text: element.textContent };
      }),
    );
    expect(sizes.length).toBeGreaterThan(8);
    for (const { width, height, text } of sizes) {
      expect(Math.min(width, height), text ?? '').toBeGreaterThanOrEqual(44);
    }
  });
});

test('no text of a tile of sixteen is cut at its foot', async () => {
  await withPage({ picture: 'calm' }, async (page) => {
    const cut = await page
      .getByTestId('value')
      .evaluateAll((elements) =>
        elements
          .filter((element) => element.scrollHeight > element.clientHeight + 2)
          .map((element) => element.textContent),
      );
    expect(cut).toEqual([]);
  });
});

test('what flashes has one phase on all of the page', async () => {
  await withPage({ picture: 'states' }, async (page) => {
    const seen = await page.evaluate(async () => {
      const colours = (selector: string): number =>
        new Set(
          [...document.querySelectorAll(selector)].map((each) => getComputedStyle(each).backgroundColor),
        ).size;
      const samples: number[] = [];
      const begin = performance.now();
      while (performance.now() - begin < 3500) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        samples.push(colours('.signal-high:not(.inner)'), colours('.signal-medium:not(.inner)'));
      }
      return samples;
    });
    expect(seen.length).toBeGreaterThan(50);
    expect(seen.every((count) => count === 1)).toBe(true);
  });
}, 60_000);

test.each([
  ['high', 1.4, 2.8, 4_000],
  ['medium', 0.4, 0.8, 8_000],
] as const)(
  'on the glass, what is %s flashes %d to %d times a second, and is bright for 20 to 60 of 100 of the time',
  async (which, least, most, forMs) => {
    await withPage({ picture: 'states' }, async (page) => {
      const box = await page.locator(`.head.signal-${which}`).first().boundingBox();
      if (box === null) throw new Error('nothing flashes');
      // A corner without text: pictures of it differ by the colour alone.
      const clip = { x: Math.ceil(box.x) + 1, y: Math.ceil(box.y) + 1, width: 2, height: 2 };
      const seen: { at: number; look: string }[] = [];
      const begin = performance.now();
      while (performance.now() - begin < forMs) {
        const before = performance.now();
        const look = (await page.screenshot({ clip })).toString('base64');
        seen.push({ at: (before + performance.now()) / 2, look });
      }
      const looks = [...new Set(seen.map(({ look }) => look))];
      expect(looks.length).toBe(2);
      const changes = seen.filter(({ look }, at) => at > 0 && look !== seen[at - 1]?.look);
      const first = changes[0];
      const last = changes.at(-1 - ((changes.length - 1) % 2));
      if (first === undefined || last === undefined || first === last) throw new Error('it does not flash');
      // From a change to one of the same kind: whole periods.
      const periods = (changes.indexOf(last) - changes.indexOf(first)) / 2;
      const rate = (periods * 1_000) / (last.at - first.at);
      expect(rate).toBeGreaterThanOrEqual(least);
      expect(rate).toBeLessThanOrEqual(most);
      // Which of both is the bright one does not matter where neither lasts longer than 60 of 100.
      const shares = looks.map((look) => lasting(changes, look, last.at) / (last.at - first.at));
      expect(Math.max(...shares)).toBeLessThanOrEqual(0.6);
    });
  },
  60_000,
);

/** For how long a look lasted between the changes before `end`, in ms. */
function lasting(changes: readonly { at: number; look: string }[], look: string, end: number): number {
  return changes.reduce((sum, { at, look: of }, index) => {
    const until = Math.min(changes[index + 1]?.at ?? end, end);
    return of === look ? sum + Math.max(0, until - at) : sum;
  }, 0);
}

describe('a lost gateway', () => {
  test('is a banner over the whole width, and leaves no number', async () => {
    await withPage({ picture: 'lost' }, async (page) => {
      const banner = page.getByTestId('banner');
      expect(await banner.innerText()).toContain('LOOK AT THE PUMPS');
      expect((await banner.boundingBox())?.width).toBe(1920);
      const numbers = await page.getByTestId('number').allInnerTexts();
      expect(numbers.length).toBeGreaterThan(16 * 6);
      expect(numbers.filter((text) => /\d/.test(text))).toEqual([]);
      expect(await page.getByTestId('alarms-not-shown').count()).toBe(16);
      expect(await page.getByTestId('no-alarms').count()).toBe(0);
    });
  });

  test('is connecting first: nothing looks idle then', async () => {
    await withPage({ picture: 'connecting' }, async (page) => {
      expect(await page.getByTestId('no-pumps').innerText()).toContain('WAITING');
      expect(await page.getByTestId('alarms-unknown').count()).toBe(1);
      expect(await page.getByTestId('no-alarms').count()).toBe(0);
    });
  });
});

test('tasks are done by keys alone', async () => {
  await withPage({ picture: 'calm' }, async (page) => {
    const screen = (): Promise<string | null> => page.getByTestId('page').getAttribute('data-screen');
    const focused = (): Promise<string | undefined> =>
      page.evaluate(() => (document.activeElement as HTMLElement | null)?.dataset['place']);
    for (const [key, place] of [
      ['ArrowRight', '0'],
      ['ArrowRight', '1'],
      ['ArrowDown', '5'],
      ['ArrowLeft', '4'],
      ['ArrowUp', '0'],
    ] as const) {
      await page.keyboard.press(key);
      expect(await focused(), key).toBe(place);
    }
    await page.keyboard.press('Enter');
    await expect.poll(screen).toBe('pump');
    await page.keyboard.press('Escape');
    await expect.poll(screen).toBe('overview');
    for (const [key, name] of [
      ['a', 'alarms'],
      ['t', 'trends'],
      ['s', 'settings'],
    ] as const) {
      await page.keyboard.press(key);
      await expect.poll(screen).toBe(name);
    }
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await expect.poll(() => page.getByTestId('keys-dialog').count()).toBe(1);
    await page.keyboard.press('Escape');
    await expect.poll(() => page.getByTestId('keys-dialog').count()).toBe(0);
    expect(await screen()).toBe('overview');
    // Nobody has said who they are: a pause asks first.
    await page.keyboard.press('p');
    await expect.poll(() => page.getByTestId('operator-dialog').count()).toBe(1);
    await page.keyboard.type('A. Kovács');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByTestId('operator').getAttribute('data-state')).toBe('named');
    await expect.poll(() => page.getByTestId('attempt').count()).toBe(1);
    expect(await page.getByTestId('pause').getAttribute('data-state')).toBe('off');
  });
}, 60_000);

test('sound that waits for a person says so, and one click lets it out', async () => {
  const silent = await fixture.browse('waits');
  const page = await fixture.open(silent, { picture: 'calm' });
  const sound = page.getByTestId('sound');
  await expect.poll(() => sound.getAttribute('data-state'), { timeout: 20_000 }).toBe('blocked');
  expect(await sound.innerText()).toBe('NO SOUND: click here');
  await sound.click();
  await expect.poll(() => sound.getAttribute('data-state'), { timeout: 20_000 }).toBe('on');
}, 60_000);

test('at night a high alarm raises the bar to the brightness of the day, and nothing else does', async () => {
  await withPage({ picture: 'states', theme: 'night' }, async (page) => {
    expect(await page.getByTestId('bar').getAttribute('data-raised')).toBe('true');
  });
  await withPage({ picture: 'calm', theme: 'night' }, async (page) => {
    expect(await page.getByTestId('bar').getAttribute('data-raised')).toBe('false');
  });
});

describe('axe finds nothing wrong', () => {
  const looks = (['dim', 'day', 'night'] as const).flatMap((theme) =>
    ['states', 'lost', 'connecting', 'calm'].map((picture) => ({ theme, picture })),
  );
  test.each(looks)('with $picture in $theme', async (look) => {
    await withPage(look, async (page) => {
      await page.addScriptTag({ path: axePath });
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as never as {
          axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const { violations } = await axe.run();
        return violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' ; ')}`,
        );
      });
      expect(violations).toEqual([]);
    });
  });
}, 120_000);
