import { test } from 'vitest';
import { readFileSync, readdirSync } from 'node:fs';
import { Browsing, Station } from './rig/station';
import { pumps, Unit } from './rig/unit';
import { Meter } from './rig/cost';
import { pause, until } from './rig/wait';

function threads(pid: number): Map<string, [string, number]> {
  const out = new Map<string, [string, number]>();
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      const s = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'utf8');
      const f = s.slice(s.lastIndexOf(')') + 2).split(' ');
      out.set(tid, [s.slice(s.indexOf('(') + 1, s.lastIndexOf(')')), Number(f[11]) + Number(f[12])]);
    } catch {
      /* gone */
    }
  }
  return out;
}
test('cost', { timeout: 200_000 }, async () => {
  const count = Number(process.env['PUMPS'] ?? 30);
  const unit = await Unit.start({ pumps: pumps(count) });
  const browsing = await Browsing.start();
  const station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
  await until(
    'live',
    () => station.text('[data-testid="live-count"]'),
    (t) => t.startsWith(`${count} of`),
    60_000,
  );
  await pause(4000);
  const meter = await Meter.of(browsing);
  const cdp = await browsing.browser.newBrowserCDPSession();
  for (let i = 0; i < 1; i++) {
    const { processInfo } = await cdp.send('SystemInfo.getProcessInfo');
    const before = new Map(processInfo.map((p) => [p.id, threads(p.id)]));
    const frames = station.page.evaluate(
      () =>
        new Promise<number>((done) => {
          let n = 0;
          const t0 = performance.now();
          const f = () => {
            n++;
            const t = performance.now() - t0;
            if (t > 8000) done((n * 1000) / t);
            else requestAnimationFrame(f);
          };
          requestAnimationFrame(f);
        }),
    );
    const cost = await meter.over(8_000);
    console.log(
      await frames,
      Object.values(cost)
        .reduce((a, b) => a + b, 0)
        .toFixed(3),
      JSON.stringify(cost),
      readFileSync('/proc/loadavg', 'utf8'),
    );
    const rows: [number, string][] = [];
    for (const p of processInfo)
      for (const [tid, [name, t]] of threads(p.id)) {
        const d = t - (before.get(p.id)?.get(tid)?.[1] ?? 0);
        if (d > 4) rows.push([d / 8, `${p.type} ${name}`]);
      }
    console.log(
      rows
        .sort((a, b) => b[0] - a[0])
        .map(([d, n]) => `${d.toFixed(1)}% ${n}`)
        .join('\n'),
    );
  }
  await station.shoot('scratch');
  if (process.env['PROFILE']) {
    await browsing.browser.startTracing(station.page, {
      path: '/tmp/page-trace.json',
      categories: [
        'viz',
        'cc',
        'blink',
        'devtools.timeline',
        'toplevel',
        'v8',
        'disabled-by-default-v8.cpu_profiler',
        'disabled-by-default-cc.debug',
      ],
    });
    await pause(4000);
    await browsing.browser.stopTracing();
  }
  await browsing.end();
  await unit.end();
});
