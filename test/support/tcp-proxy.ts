import net from 'node:net';

/** The commands that a client sends to Redis, one match per command. */
const COMMANDS = /\*\d+\r\n\$\d+\r\n([A-Za-z]+)\r\n/g;

/**
 * A TCP proxy between a client and a server that can be slow, cut connections, swallow replies, or simulate a frozen
 * server.
 */
export class TcpProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<{ client: net.Socket; upstream: net.Socket }>();
  #isFreezing: ((command: string) => boolean) | undefined;
  /** Chunks that wait until the server is resumed; undefined while it responds. */
  #held: (() => void)[] | undefined;
  /** The delay of every reply, milliseconds. */
  delayMs = 0;
  /** When set, the next reply is cut after this many bytes and both sides are reset. */
  cutReplyAfter: number | undefined;
  /** When true, new connections are refused. */
  refusing = false;

  private constructor(readonly targetPort: number) {
    this.#server = net.createServer((client) => this.#accept(client));
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  /**
   * From the first command for which `isFreezing` returns true nothing passes, in either direction; the connections
   * stay open.
   */
  freezeAt(isFreezing: (command: string) => boolean): void {
    this.#isFreezing = isFreezing;
  }

  get frozen(): boolean {
    return this.#held !== undefined;
  }

  /** Delivers the chunks that were sent meanwhile. */
  resume(): void {
    const held = this.#held ?? [];
    this.#isFreezing = undefined;
    this.#held = undefined;
    for (const pass of held) pass();
  }

  /** Resets every connection. */
  cut(): void {
    for (const { client, upstream } of this.#pairs) {
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    }
    this.#pairs.clear();
  }

  async dispose(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: net.Socket): void {
    if (this.refusing) return void client.resetAndDestroy();
    const upstream = net.connect(this.targetPort, '127.0.0.1');
    const pair = { client, upstream };
    this.#pairs.add(pair);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on('data', (chunk) => {
      this.#look(chunk);
      this.#pass(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk) => this.#pass(() => this.#reply(pair, chunk)));
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
  }

  #look(chunk: Buffer): void {
    if (this.#isFreezing === undefined || this.#held !== undefined) return;
    for (const [, command] of chunk.toString('latin1').matchAll(COMMANDS)) {
      if (!this.#isFreezing(command!)) continue;
      this.#held = [];
      return;
    }
  }

  #pass(write: () => void): void {
    if (this.#held === undefined) write();
    else this.#held.push(write);
  }

  #reply(pair: { client: net.Socket; upstream: net.Socket }, chunk: Buffer): void {
    if (this.cutReplyAfter !== undefined) {
      const part = chunk.subarray(0, this.cutReplyAfter);
      this.cutReplyAfter = undefined;
      pair.client.write(part, () => {
        pair.client.resetAndDestroy();
        pair.upstream.resetAndDestroy();
      });
      return;
    }
    if (this.delayMs === 0) return void pair.client.write(chunk);
    setTimeout(() => pair.client.destroyed || pair.client.write(chunk), this.delayMs);
  }
}
