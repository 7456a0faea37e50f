// Two gateways: the page goes to the other one within a second, and keeps what was acknowledged.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { Browsing, Station } from './rig/station';
import { Unit } from './rig/unit';
import { until } from './rig/wait';

let unit: Unit;
let browsing: Browsing;
let station: Station;

beforeAll(async () => {
  unit = await Unit.start({
    pumps: [{ name: 'pump-1' }, { name: 'pump-2', faults: [{ kind: 'level-low', at: 3 }] }],
    gateways: ['east', 'west'],
  });
  browsing = await Browsing.start();
  station = await Station.open(browsing, unit.main.url, { name: 'Ann', display: 'desk' });
  await station.alarmed('pump-2', 'level.low', 'active');
});

afterAll(async () => {
  await browsing.end();
  await unit.end();
});

test('the gateway that is shown dies: the other one is shown, and the page is never without a picture for long', async () => {
  const killed = performance.now();
  await unit.main.part.kill();
  await until(
    'west is shown',
    () => station.text('[data-testid="link"]'),
    (text) => text.includes('west') || text.includes(String(unit.gateways[1]?.port)),
    4_000,
    20,
  );
  await station.tileIs('pump-1', 'live', (tile) => tile.values['flow.blood']?.state === 'live', 3_000);
  const took = performance.now() - killed;
  console.log(`from the death of one gateway to live numbers of the other: ${took.toFixed(0)} ms`);
  await station.alarmed('pump-2', 'level.low', 'active');
  await station.shoot('overview-other-gateway');
  expect(took).toBeLessThanOrEqual(1_500);
  expect(station.complaints).toEqual([]);
});
