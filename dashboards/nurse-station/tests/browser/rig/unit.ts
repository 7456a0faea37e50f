// A unit: broker, one or two gateways, agents with simulated circuits, each a process of its own.
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { dist, freePort, Part, program, root } from './part';
import { until } from './wait';

/** A fault of one circuit, counted from the first sample of its agent. */
export interface Fault {
  kind: string;
  at: number;
  lasts?: number;
}

export interface PumpWish {
  name: string;
  faults?: readonly Fault[];
  kind?: 'centrifugal' | 'roller';
  /** It is expected, and no agent is started. */
  absent?: boolean;
  /** Set speed of the circuit, in rpm; the one of its patient without it. */
  speed?: number;
  /** It has these channels and no others, each with one value that stays. */
  only?: Readonly<Record<string, number>>;
}

export interface UnitWish {
  pumps: readonly PumpWish[];
  /** Gateways of one unit, by name; they know each other. */
  gateways?: readonly string[];
  /** The wall clocks of gateways and agents can be moved. */
  movableClock?: boolean;
  /** Roles of accounts by name; their password is PASSWORD. With any, the gateways ask people who they are. */
  accounts?: Readonly<Record<string, string>>;
  /** Where the page lies; the built one without it. */
  page?: string;
}

export interface Gateway {
  name: string;
  part: Part;
  url: string;
  port: number;
}

export const ward = 'nicu';

/** Of every account. */
export const PASSWORD = 'correct horse';

export class Unit {
  readonly agents = new Map<string, Part>();
  readonly gateways: Gateway[] = [];

  private constructor(
    readonly folder: string,
    readonly broker: Part,
    private readonly brokerPort: number,
    private readonly wish: UnitWish,
  ) {}

  /** Starts everything; when it returns, the gateways answer. */
  static async start(wish: UnitWish): Promise<Unit> {
    const folder = mkdtempSync(join(tmpdir(), 'nurse-station-'));
    const port = await freePort();
    const conf = readFileSync(join(root, 'deploy/mosquitto/mosquitto.conf'), 'utf8');
    writeFileSync(
      join(folder, 'mosquitto.conf'),
      conf.replace(/^listener .*$/m, `listener ${String(port)} 127.0.0.1`),
    );
    const broker = new Part(
      'mosquitto',
      '/usr/sbin/mosquitto',
      ['-c', join(folder, 'mosquitto.conf')],
      folder,
    );
    const unit = new Unit(folder, broker, port, wish);
    unit.moveClock(0);
    broker.start();
    for (const [name, role] of Object.entries(wish.accounts ?? {})) {
      const add = ['people', 'add', name, '--role', role, '--file', join(folder, 'people.toml')];
      execFileSync(program('ecmo-gateway'), add, { input: `${PASSWORD}\n` });
    }
    const names = wish.gateways ?? ['east'];
    const ports = await Promise.all(names.map(() => freePort()));
    names.forEach((name, index) => {
      unit.gateways.push(unit.gateway(name, ports[index] ?? 0, names, ports));
    });
    for (const gateway of unit.gateways) gateway.part.start();
    for (const pump of wish.pumps) if (pump.absent !== true) unit.startAgent(pump);
    await Promise.all(unit.gateways.map((gateway) => unit.ready(gateway)));
    return unit;
  }

  /** The first gateway. */
  get main(): Gateway {
    const first = this.gateways[0];
    if (first === undefined) throw new Error('a unit has a gateway');
    return first;
  }

  agent(name: string): Part {
    const agent = this.agents.get(name);
    if (agent === undefined) throw new Error(`no agent ${name}`);
    return agent;
  }

  /** Until it hears the broker. */
  async ready(gateway: Gateway): Promise<void> {
    const ask = async (): Promise<string> => {
      try {
        const answer = await fetch(`${gateway.url}/readyz`, { signal: AbortSignal.timeout(500) });
        return await answer.text();
      } catch (error) {
        return String(error);
      }
    };
    await until(`gateway ${gateway.name} is ready`, ask, (said) => said.startsWith('ready'), 15_000);
  }

  /** What ecmoctl says, as JSON. */
  async ctl(...args: string[]): Promise<unknown> {
    const run = promisify(execFile);
    const all = ['--gateway', this.main.url, ...args, '--output', 'json'];
    // An active alarm, or missing data, is an exit code of its own.
    const said = await run(program('ecmoctl'), all, { timeout: 10_000 }).catch((error: unknown) => error);
    const { stdout, stderr } = said as { stdout?: string; stderr?: string };
    if (stdout === undefined || stdout.trim() === '')
      throw new Error(`ecmoctl ${args.join(' ')}: ${String(stderr)}`);
    return JSON.parse(stdout) as unknown;
  }

  /** Moves the wall clock of every gateway and agent, in seconds against the true one. */
  moveClock(seconds: number): void {
    const file = join(this.folder, 'clock');
    // At once or not at all: the file is read at each look at the clock.
    writeFileSync(`${file}.new`, `${seconds < 0 ? '' : '+'}${String(seconds)}\n`);
    renameSync(`${file}.new`, file);
  }

  /** Everything runs again, whatever a test did to it. */
  heal(): void {
    const parts = [this.broker, ...this.gateways.map(({ part }) => part), ...this.agents.values()];
    for (const part of parts) {
      if (part.isRunning) part.thaw();
      else part.start();
    }
    this.moveClock(0);
  }

  async end(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.stop()));
    await Promise.all(this.gateways.map(({ part }) => part.stop()));
    await this.broker.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  startAgent(pump: PumpWish): Part {
    const { name, kind = 'centrifugal' } = pump;
    const text = `ward = "${ward}"
pump = "${name}"
brokers = ["mqtt://127.0.0.1:${String(this.brokerPort)}"]
pump_kind = "${kind}"
[[source]]
${pump.only === undefined ? this.simulated(pump) : this.recorded(name, pump.only)}
`;
    const file = join(this.folder, `${name}.toml`);
    writeFileSync(file, text);
    const agent = new Part(name, program('ecmo-agent'), ['run', '--config', file], this.folder, this.clock());
    agent.start();
    this.agents.set(name, agent);
    return agent;
  }

  private simulated({ faults = [], speed }: PumpWish): string {
    const tables = faults.map(({ kind: fault, at, lasts }) => {
      const end = lasts === undefined ? '' : `, for_s = ${String(lasts)}`;
      return `{ kind = "${fault}", at_s = ${String(at)}${end} }`;
    });
    return `kind = "simulated"
seed = ${String(1 + this.agents.size)}
faults = [${tables.join(', ')}]
${speed === undefined ? '' : `speed_rpm = ${String(speed)}`}`;
  }

  private recorded(name: string, channels: Readonly<Record<string, number>>): string {
    const lines = [
      Object.keys(channels).join(','),
      ...Array<string>(100).fill(Object.values(channels).join(',')),
    ];
    writeFileSync(join(this.folder, `${name}.csv`), `${lines.join('\n')}\n`);
    return `kind = "replay"
file = "${name}.csv"
rate_hz = 100`;
  }

  private people(): string {
    if (this.wish.accounts === undefined) return '';
    return '[people]\naccounts = "people.toml"\n';
  }

  private gateway(name: string, port: number, names: readonly string[], ports: readonly number[]): Gateway {
    const url = (at: number): string => `http://127.0.0.1:${String(at)}`;
    const others = names.filter((other) => other !== name);
    const list = (texts: readonly string[]): string => texts.map((text) => `"${text}"`).join(', ');
    const text = `[gateway]
name = "${name}"
[peer]
expected = [${list(others)}]
[drill]
every_s = 0
${this.people()}[broker]
url = "mqtt://127.0.0.1:${String(this.brokerPort)}"
[serve]
bind = "127.0.0.1:${String(port)}"
[metrics]
bind = "127.0.0.1:0"
[state]
dir = "state-${name}"
[ui]
gateways = [${list(ports.filter((other) => other !== port).map(url))}]
${this.wish.pumps.map((pump) => `[[pump]]\nward = "${ward}"\npump = "${pump.name}"`).join('\n')}
`;
    const file = join(this.folder, `gateway-${name}.toml`);
    writeFileSync(file, text);
    const args = ['serve', '--config', file, '--ui-dir', this.wish.page ?? dist];
    const part = new Part(`gateway-${name}`, program('ecmo-gateway'), args, this.folder, this.clock());
    return { name, part, url: url(port), port };
  }

  private clock(): Record<string, string> {
    if (this.wish.movableClock !== true) return {};
    const folders = ['/usr/lib/x86_64-linux-gnu/faketime', '/usr/lib/aarch64-linux-gnu/faketime'];
    const library = folders.map((folder) => `${folder}/libfaketime.so.1`).find((path) => existsSync(path));
    if (library === undefined) throw new Error('libfaketime is missing: apt-get install faketime');
    return {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: join(this.folder, 'clock'),
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      FAKETIME_NO_CACHE: '1',
    };
  }
}

/** Names for so many pumps. */
export function pumps(count: number, wish: Omit<PumpWish, 'name'> = {}): PumpWish[] {
  return Array.from({ length: count }, (_none, index) => ({
    name: `pump-${String(index + 1).padStart(2, '0')}`,
    ...wish,
  }));
}
