// What a browser costs: the processor time of each of its processes, as the browser itself counts it.
import type { CDPSession } from 'playwright-core';

import type { Browsing } from './station';
import { pause } from './wait';

/** Shares of one core, by the kind of process: renderer, GPU (where layers are put together), browser, utility. */
export type Cost = Record<string, number>;

interface ProcessTime {
  type: string;
  id: number;
  /** Seconds since it was started. */
  cpuTime: number;
}

export class Meter {
  private constructor(private readonly cdp: CDPSession) {}

  static async of(browsing: Browsing): Promise<Meter> {
    return new Meter(await browsing.browser.newBrowserCDPSession());
  }

  /** What each kind of process used of one core in the next `ms`. */
  async over(ms: number): Promise<Cost> {
    const before = await this.times();
    const begun = performance.now();
    await pause(ms);
    const after = await this.times();
    const seconds = (performance.now() - begun) / 1_000;
    const cost: Cost = {};
    for (const { type, id, cpuTime } of after) {
      const earlier = before.find((one) => one.id === id)?.cpuTime ?? 0;
      cost[type] = (cost[type] ?? 0) + (cpuTime - earlier) / seconds;
    }
    return cost;
  }

  private async times(): Promise<ProcessTime[]> {
    const { processInfo } = await this.cdp.send('SystemInfo.getProcessInfo');
    return processInfo;
  }
}
