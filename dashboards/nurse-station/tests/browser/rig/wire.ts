// The wire between one display and its gateway, which can be cut, delayed, or lose one kind of call.
import { createServer, connect, type Server, type Socket } from 'node:net';

import { freePort } from './part';

/** What happens to calls whose path holds a word. */
export type Harm =
  /** Open ones end, new ones are refused. */
  | { kind: 'cut' }
  /** What the gateway says comes so much later. */
  | { kind: 'late'; ms: number }
  /** What the page asks never arrives; the connection stays open. */
  | { kind: 'unasked' }
  /** The gateway hears it, and its answer never arrives. */
  | { kind: 'unanswered' }
  /** One whole message of what the gateway says is left out; everything after it comes. */
  | { kind: 'gap' };

/** One chunk of a streamed answer that is one whole message: its size line, five bytes of head, the message. */
function isOneMessage(bytes: Buffer): boolean {
  const size = /^([0-9a-f]+)\r\n/i.exec(bytes.toString('latin1', 0, 12));
  if (size === null) return false;
  const [line, digits = ''] = size;
  const length = Number.parseInt(digits, 16);
  // A flag of 0 is a message: a trailer has the highest bit.
  const head = line.length;
  const isWhole = bytes.length === head + length + 2 && bytes[head] === 0;
  return isWhole && bytes.readUInt32BE(head + 1) === length - 5;
}

interface Pair {
  client: Socket;
  gateway: Socket;
  /** Path of the request that is under way. */
  path: string;
}

export class Wire {
  private readonly harms = new Map<string, Harm>();
  private readonly pairs = new Set<Pair>();
  private constructor(
    readonly url: string,
    private readonly server: Server,
  ) {}

  static async to(port: number): Promise<Wire> {
    const own = await freePort();
    const server = createServer();
    const wire = new Wire(`http://127.0.0.1:${String(own)}`, server);
    server.on('connection', (client) => {
      wire.join(client, port);
    });
    await new Promise<void>((done) => server.listen(own, '127.0.0.1', done));
    return wire;
  }

  /** From now on, for calls whose path holds the word. */
  harm(word: string, harm: Harm): void {
    this.harms.set(word, harm);
    if (harm.kind === 'cut') {
      for (const pair of this.pairs) if (pair.path.includes(word)) pair.client.destroy();
    }
  }

  /** Harms that wait for their message. */
  get pending(): number {
    return this.harms.size;
  }

  heal(): void {
    this.harms.clear();
  }

  end(): void {
    for (const { client } of this.pairs) client.destroy();
    this.server.close();
  }

  private of(path: string): Harm | null {
    for (const [word, harm] of this.harms) if (path.includes(word)) return harm;
    return null;
  }

  /** It is done once. */
  private forget(done: Harm): void {
    for (const [word, harm] of this.harms) if (harm === done) this.harms.delete(word);
  }

  private join(client: Socket, port: number): void {
    const gateway = connect(port, '127.0.0.1');
    const pair: Pair = { client, gateway, path: '' };
    this.pairs.add(pair);
    client.setNoDelay(true);
    gateway.setNoDelay(true);
    client.on('data', (bytes: Buffer) => {
      const asked = /^(?:GET|POST|OPTIONS|HEAD) (\S+) HTTP/.exec(bytes.toString('latin1', 0, 400))?.[1];
      if (asked !== undefined) pair.path = asked;
      const harm = this.of(pair.path);
      if (harm?.kind === 'cut') client.destroy();
      else if (harm?.kind !== 'unasked') gateway.write(bytes);
    });
    gateway.on('data', (bytes: Buffer) => {
      const harm = this.of(pair.path);
      if (harm?.kind === 'unanswered') return;
      if (harm?.kind === 'gap' && isOneMessage(bytes)) {
        this.forget(harm);
        return;
      }
      if (harm?.kind === 'late') {
        // In order, because every piece waits equally long.
        setTimeout(() => client.writable && client.write(bytes), harm.ms);
      } else if (client.writable) client.write(bytes);
    });
    const close = (): void => {
      this.pairs.delete(pair);
      client.destroy();
      gateway.destroy();
    };
    for (const socket of [client, gateway]) {
      socket.on('error', close);
      socket.on('close', close);
    }
  }
}
