import type { ServerResponse } from 'node:http';

/** Unsent bytes after which a client counts as stalled. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** One listener of the event stream, as the HTML standard defines it ("Server-sent events"). */
export class EventClient {
  readonly #response: ServerResponse;
  #gone: (() => void) | undefined;

  /**
   * Answers with a stream that stays open.
   * @param headers what the application has set on the answer so far.
   * @param gone called once, when either side has ended the connection.
   */
  constructor(response: ServerResponse, headers: Readonly<Record<string, unknown>>, gone: () => void) {
    this.#response = response;
    this.#gone = gone;
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) response.setHeader(name, value as string | string[]);
    }
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store, no-transform',
      // Reverse proxies such as nginx would buffer events otherwise.
      'X-Accel-Buffering': 'no',
    });
    response.once('close', this.#closed);
    response.on('error', this.#closed);
    response.flushHeaders();
  }

  send(frame: string): void {
    if (this.#gone === undefined) return;
    if (this.#response.writableLength > MAX_WAITING_BYTES) this.#response.destroy();
    else this.#response.write(frame);
  }

  /** Ends the stream; a browser reconnects. */
  end(): void {
    const { socket } = this.#response;
    this.#response.end(() => socket?.destroySoon?.());
    this.#closed();
  }

  readonly #closed = (): void => {
    const gone = this.#gone;
    this.#gone = undefined;
    this.#response.off('close', this.#closed);
    gone?.();
  };
}

/** One event in the stream's format. */
export function eventFrame(event: string, data: unknown, id: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
