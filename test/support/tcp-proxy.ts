import net from 'node:net';

/** A TCP proxy between a client and a server that can be slow, cut connections, or swallow replies. */
export class TcpProxy {
  readonly #server: net.Server;
  readonly #pairs = new Set<{ client: net.Socket; upstream: net.Socket }>();
  /** Milliseconds by which every reply is late. */
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
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => this.#reply(pair, chunk));
    for (const socket of [client, upstream]) {
      socket.on('error', end);
      socket.on('close', end);
    }
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
