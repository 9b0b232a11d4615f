import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';

/** An in-memory PostgreSQL in a worker thread, which pg's ordinary clients talk to as they would over a socket. */
export class EmbeddedPostgres {
  readonly #worker = new Worker(new URL('./server.mjs', import.meta.url));

  /** What a pg client takes as its `stream`. One at a time: the server has a single session. */
  connect(): Duplex {
    return new WorkerSocket(this.#worker);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The message that says goodbye; the server outlives its sessions and does not get it. */
const TERMINATE = 'X'.charCodeAt(0);

/** The part of a socket that pg uses, over a worker's messages. */
class WorkerSocket extends Duplex {
  readonly #worker: Worker;
  readonly #onMessage = (answer: Uint8Array | string): void => {
    if (typeof answer === 'string') this.destroy(new Error(answer));
    else this.push(Buffer.from(answer));
  };
  readonly #onError = (error: Error): void => void this.destroy(error);

  constructor(worker: Worker) {
    super();
    this.#worker = worker;
    worker.on('message', this.#onMessage);
    worker.on('error', this.#onError);
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    this.#worker.ref();
    return this;
  }

  unref(): this {
    this.#worker.unref();
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (chunk[0] !== TERMINATE) this.#worker.postMessage(new Uint8Array(chunk));
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done);
  }

  override _final(done: () => void): void {
    this.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#worker.off('message', this.#onMessage);
    this.#worker.off('error', this.#onError);
    done(error);
  }
}
