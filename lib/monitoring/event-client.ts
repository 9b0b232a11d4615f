import type { ServerResponse } from 'node:http';

/** A client with more unsent bytes counts as stalled, and is disconnected. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** One client of the event stream. The format is that of the HTML standard, "Server-sent events". */
export class EventClient {
  readonly #response: ServerResponse;
  #gone: (() => void) | undefined;

  /**
   * Begins the response, which stays open.
   * @param headers the headers that the application has set on the response so far.
   * @param gone called once, when either side has closed the connection.
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
      // Otherwise reverse proxies such as nginx buffer the events.
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

  /** Ends the stream. A browser then reconnects. */
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

/** Formats one event for the stream. */
export function eventFrame(event: string, data: unknown, id: string): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
