// One program of ours, or a broker, as a process of its own: it can be frozen, killed and started again.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

export const root = needed('ECMO_ROOT');
export const screens = needed('ECMO_SCREENS');
/** Where the built page lies. */
export const dist = needed('ECMO_PAGE');

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; start the tests by npm run browser`);
  return value;
}

/** The path of one of our programs. */
export function program(name: string): string {
  return join(needed('ECMO_PROGRAMS'), name);
}

export class Part {
  private child: ChildProcess | null = null;
  private ended: Promise<void> = Promise.resolve();
  readonly log: string;

  constructor(
    readonly name: string,
    private readonly path: string,
    private readonly args: readonly string[],
    folder: string,
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {
    this.log = join(folder, `${name}.log`);
  }

  start(): void {
    const log = openSync(this.log, 'a');
    // It dies with the test that started it, however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', this.path, ...this.args], {
      stdio: ['ignore', log, log],
      env: { ...process.env, RUST_LOG: 'info', ...this.environment },
    });
    closeSync(log);
    this.child = child;
    this.ended = new Promise((done) => {
      child.once('exit', () => {
        done();
      });
      child.once('error', () => {
        done();
      });
    });
  }

  get isRunning(): boolean {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** It stands still, and its sockets stay open: nobody is told. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  thaw(): void {
    this.signal('SIGCONT');
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
    this.child = null;
  }

  /** Asks it to end, and kills it when it does not. */
  async stop(): Promise<void> {
    if (this.child === null) return;
    this.signal('SIGCONT');
    this.signal('SIGTERM');
    const late = setTimeout(() => {
      this.signal('SIGKILL');
    }, 4_000);
    await this.ended;
    clearTimeout(late);
    this.child = null;
  }

  /** What it has written. */
  said(): string {
    return readFileSync(this.log, 'utf8');
  }

  private signal(signal: NodeJS.Signals): void {
    this.child?.kill(signal);
  }
}

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') failed(new Error('no port is free'));
        else done(address.port);
      });
    });
  });
}
