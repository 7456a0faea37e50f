// The lease and the confirmations: driven by what was painted, sent again where they did not count.

import { Code, ConnectError, createClient, createRouterTransport } from '@connectrpc/connect';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { Attender, type Health } from '../../../src/attend/attender';
import { Screen } from '../../../src/model/screen';
import { AlarmService } from '../../../src/wire/gen/ecmo/v1/alarm_service_pb';
import { AudioOutput, DisplayState } from '../../../src/wire/gen/ecmo/v1/display_pb';
import { DisplayService } from '../../../src/wire/gen/ecmo/v1/display_service_pb';
import type { Gateway } from '../../../src/wire/gateway';
import { A, alarm, snapshot } from '../model/messages';

/** A gateway that notes what it is told, and answers as it is set to. */
class Bench {
  now = 0;
  readonly leases: {
    display: string;
    painted: bigint;
    epoch: bigint;
    visible: boolean;
    audio: AudioOutput;
  }[] = [];
  readonly confirmed: string[][] = [];
  state = DisplayState.ATTENDS;
  counts = true;
  isDown = false;
  readonly screen = new Screen(1, '');
  readonly attender: Attender;
  private readonly gateway: Gateway;

  constructor() {
    const transport = createRouterTransport(({ rpc }) => {
      rpc(DisplayService.method.attendWards, ({ display, health }) => {
        if (this.isDown) throw new ConnectError('down', Code.Unavailable);
        const { paintedMonoNs: painted = 0n, paintedEpoch: epoch = 0n } = health ?? {};
        this.leases.push({
          display,
          painted,
          epoch,
          visible: health?.visible ?? false,
          audio: health?.audio ?? 0,
        });
        return { leaseMs: 3_000, state: this.state, epoch: 1n, nowMonoNs: 0n };
      });
      rpc(AlarmService.method.confirmAlarms, ({ shown }) => {
        if (this.isDown) throw new ConnectError('down', Code.Unavailable);
        this.confirmed.push(shown.map(({ occurrence, revision }) => `${occurrence}@${String(revision)}`));
        return { counts: this.counts };
      });
    });
    const [displays, alarms] = [
      createClient(DisplayService, transport),
      createClient(AlarmService, transport),
    ];
    this.gateway = { url: '', displays, alarms } as Gateway;
    this.attender = new Attender({
      display: 'd1',
      wards: () => [],
      now: () => this.now,
      onAnswer: () => undefined,
      take: (link) => this.screen.links[link]?.takeConfirmations() ?? [],
      putBack: (link, shown) => this.screen.links[link]?.putBack(shown),
    });
    this.screen.onAlarms(A, snapshot(5, [alarm('pump.stop')]), 0);
  }

  /** The page painted what it knows, `ms` later. */
  async paint(ms: number, visible = true): Promise<void> {
    this.now += ms;
    this.screen.painted(this.screen.marks(), () => true);
    await this.tell(visible);
  }

  async tell(visible: boolean): Promise<void> {
    const painted = this.screen.links[A]?.painted ?? null;
    const health: Health = { painted, framesPerSecond: 30, lagMs: 12, audio: 'blocked', visible };
    this.attender.on(A, this.gateway, health);
    await vi.waitUntil(() => !this.attender.isBusy());
  }
}

describe('the attender', () => {
  let bench: Bench;

  beforeEach(() => {
    bench = new Bench();
  });

  it('holds no lease before anything was painted', async () => {
    await bench.tell(true);
    expect([bench.leases, bench.confirmed]).toEqual([[], []]);
  });

  it('renews each second with what was painted, and confirms it once', async () => {
    for (let picture = 0; picture < 13; picture += 1) await bench.paint(250);
    expect(bench.leases.length).toBe(4);
    expect(bench.leases[0]).toEqual({
      display: 'd1',
      painted: 5_000_000n,
      epoch: 1n,
      visible: true,
      audio: AudioOutput.BLOCKED,
    });
    expect(bench.confirmed).toEqual([['nicu/p1/pump.stop/1-1@1']]);
  });

  it('says that nobody can see it while the page is hidden', async () => {
    await bench.paint(0);
    bench.now += 1_000;
    await bench.tell(false);
    expect(bench.leases.map(({ visible }) => visible)).toEqual([true, false]);
  });

  it('confirms again what did not count yet, ten times at most', async () => {
    bench.counts = false;
    for (let picture = 0; picture < 60; picture += 1) await bench.paint(250);
    expect(bench.confirmed.length).toBe(11);
  });

  it('confirms again what could not be told, and not more often than twice a second', async () => {
    bench.isDown = true;
    for (let picture = 0; picture < 8; picture += 1) await bench.paint(250);
    bench.isDown = false;
    for (let picture = 0; picture < 4; picture += 1) await bench.paint(250);
    expect(bench.confirmed).toEqual([['nicu/p1/pump.stop/1-1@1']]);
    expect(bench.leases.length).toBeGreaterThan(0);
  });

  it('tells its people when the gateway does not take it for one that paints', async () => {
    bench.state = DisplayState.NOT_PAINTING;
    for (let second = 0; second < 2; second += 1) await bench.paint(1_000);
    expect(bench.attender.isNotCounted()).toBe(false);
    await bench.paint(1_000);
    expect(bench.attender.isNotCounted()).toBe(true);
    bench.state = DisplayState.ATTENDS;
    await bench.paint(1_000);
    expect(bench.attender.isNotCounted()).toBe(false);
  });

  it('says at once to another gateway that it is there', async () => {
    await bench.paint(0);
    await bench.paint(100);
    bench.attender.restart();
    await bench.paint(100);
    expect(bench.leases.length).toBe(2);
  });
});
