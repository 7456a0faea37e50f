// Keeps the treatments of all pumps known: asked for when the version changes that a pump is judged by.

import type { Board } from '../model/board';
import { ms } from '../model/clock';
import type { PumpView } from '../model/pump';
import { CALL_MS, type Gateway } from '../wire/gateway';
import { treatmentOf } from '../wire/treatment';

/** Calls at a time: a browser gives a gateway six connections, and people's actions come first. */
const AT_ONCE = 2;

/** Wait before a pump whose treatment could not be had is asked for again. */
const RETRY_MS = 2_000;

/** Contexts end by themselves without a new version: what is left of them is asked for again after this. */
const STALE_MS = 30_000;

export class Treatments {
  private asking = 0;
  private readonly askedAt = new Map<string, number>();

  constructor(
    private readonly board: Board,
    private readonly now: () => number,
  ) {}

  /** Asks for what is not known yet. */
  follow(gateway: Gateway, views: readonly PumpView[]): void {
    for (const { pump } of views) {
      if (this.asking >= AT_ONCE) return;
      const key = `${pump.ward}/${pump.pump}`;
      const askedAt = this.askedAt.get(key) ?? -Infinity;
      const wait = this.board.knowsTreatment(key, Number(pump.treatmentVersion)) ? STALE_MS : RETRY_MS;
      const isFirst = !this.askedAt.has(key);
      if (isFirst || this.now() - askedAt >= wait) void this.ask(gateway, pump.ward, pump.pump, key);
    }
  }

  private async ask(gateway: Gateway, ward: string, pump: string, key: string): Promise<void> {
    this.asking += 1;
    this.askedAt.set(key, this.now());
    try {
      const { treatment, nowMonoNs } = await gateway.treatments.getTreatment(
        { ward, pump },
        { timeoutMs: CALL_MS },
      );
      if (treatment !== undefined) this.board.setTreatment(treatmentOf(treatment, ms(nowMonoNs)), this.now());
    } catch {
      // Limits stay unknown, and are shown as that, until they are asked for again.
    } finally {
      this.asking -= 1;
    }
  }
}
