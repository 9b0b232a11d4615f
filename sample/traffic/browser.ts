import { Agent, request, type IncomingMessage } from 'node:http';
import { Agent as SecureAgent, request as requestSecurely } from 'node:https';

/** An answer, with the time from the question to its last byte. */
export interface Answer {
  readonly status: number;
  /** What `X-Cache` said, or `-`. */
  readonly cache: string;
  readonly milliseconds: number;
  readonly text: string;
}

const DEADLINE_MS = 30_000;

/** The server closed a connection that was kept open just as it was used again. */
class ClosedWhileIdle extends Error {}

/** Asks one host over connections that are kept open. */
export class Browser {
  readonly #base: URL;
  readonly #agent: Agent;
  readonly #request: typeof request;

  constructor(base: URL, connections: number) {
    const secure = base.protocol === 'https:';
    this.#base = base;
    this.#agent = new (secure ? SecureAgent : Agent)({ keepAlive: true, maxSockets: connections });
    this.#request = secure ? requestSecurely : request;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.#ask('GET', path, undefined, headers);
  }

  post(path: string, body: unknown): Promise<Answer> {
    return this.#ask('POST', path, JSON.stringify(body));
  }

  put(path: string, body: unknown): Promise<Answer> {
    return this.#ask('PUT', path, JSON.stringify(body));
  }

  /** The JSON of a 200; an error that names the path and the answer otherwise. */
  async json<T>(path: string): Promise<T> {
    const { status, text } = await this.get(path);
    if (status !== 200) throw new Error(`${path} answers ${status}: ${text.slice(0, 200)}`);
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new Error(`${path} answers no JSON: ${text.slice(0, 80)}`);
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #ask(
    method: string,
    path: string,
    body?: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const started = performance.now();
    for (;;) {
      try {
        return await this.#send(started, method, path, body, headers);
      } catch (error) {
        // Only what changes nothing may be asked twice; the next connection is another idle one, or new.
        if (!(error instanceof ClosedWhileIdle)) throw error;
      }
    }
  }

  #send(
    started: number,
    method: string,
    path: string,
    body: string | undefined,
    given: Readonly<Record<string, string>>,
  ): Promise<Answer> {
    const headers = body === undefined ? given : { ...given, 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const asked = this.#request(new URL(path, this.#base), {
        method,
        agent: method === 'GET' ? this.#agent : false,
        headers,
      });
      asked.setTimeout(DEADLINE_MS, () => asked.destroy(new Error(`no answer in ${DEADLINE_MS} ms`)));
      asked.on('error', (error: NodeJS.ErrnoException) => {
        reject(asked.reusedSocket && error.code === 'ECONNRESET' ? new ClosedWhileIdle() : error);
      });
      asked.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            cache: String(response.headers['x-cache'] ?? '-'),
            milliseconds: performance.now() - started,
            text: Buffer.concat(chunks).toString(),
          }),
        );
      });
      asked.end(body);
    });
  }
}
