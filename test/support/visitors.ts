import http from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

export type Phase = 'before' | 'during' | 'after';
/** `hot`: always in memory; `cooled`: should have been in memory. */
type Cause = 'hot' | 'cooled' | 'loaded' | 'changed' | 'other';
export type XCache = 'HIT' | 'STALE' | 'MISS';

interface Visit {
  readonly phase: Phase;
  readonly path: string;
  readonly cause: Cause;
  readonly outcome: XCache | undefined;
  readonly ms: number;
}

/** A longer request is given up. */
const HUNG_MS = 20_000;
const HOT = '/feeds/discover?page=hot';

/** Simulated visitors that send HTTP requests without end, each one after the other, and record the responses. */
export class Visitors {
  phase: Phase = 'before';
  /** Requests that failed or hung. */
  readonly failures: string[] = [];
  /** Responses older than a change that was acknowledged before the request. */
  readonly outdated: string[] = [];
  /** The version of each change, by product or note. */
  readonly acknowledged = new Map<string, number>();
  /** Notes written during the outage. */
  readonly notedDuring = new Map<string, number>();
  readonly url: string;
  readonly #visits: Visit[] = [];
  readonly #agent = new http.Agent({ keepAlive: true });
  readonly #crowd: number;
  #loops: Promise<void>[] = [];
  #leaving = false;
  #random = 1;

  constructor(url: string, crowd = 8) {
    this.url = url;
    this.#crowd = crowd;
  }

  enter(): void {
    this.#loops = Array.from({ length: this.#crowd }, (_, visitor) => this.#visit(visitor));
  }

  /** Resolves when every response has arrived. */
  async leave(): Promise<void> {
    this.#leaving = true;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  count(phase: Phase, cause: Cause): number {
    return this.#of(phase, cause).length;
  }

  /** Requests that took longer than `ms` milliseconds, as text. */
  slowerThan(ms: number): string[] {
    const slow = this.#visits.filter((visit) => visit.ms > ms);
    return slow.map((visit) => `${visit.phase}: ${visit.path} took ${Math.round(visit.ms)} ms`);
  }

  /** Milliseconds; 0 without requests. */
  quantile(phase: Phase, cause: Cause, share: number): number {
    const times = this.#of(phase, cause)
      .map(({ ms }) => ms)
      .sort((a, b) => a - b);
    return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  }

  /** Requests of cached handlers by outcome. */
  byOutcome(): Record<XCache, number> {
    const counts = { HIT: 0, STALE: 0, MISS: 0 };
    for (const { outcome } of this.#visits) if (outcome !== undefined) counts[outcome]++;
    return counts;
  }

  #of(phase: Phase, cause: Cause): Visit[] {
    return this.#visits.filter((visit) => visit.phase === phase && visit.cause === cause);
  }

  async #visit(visitor: number): Promise<void> {
    await this.#ask('GET', HOT);
    for (let turn = 0; !this.#leaving; turn++) {
      const choice = this.#below(20);
      if (choice < 5) await this.#ask('GET', HOT);
      else if (choice < 11) await this.#ask('GET', `/feeds/discover?page=${this.#below(150)}`);
      else if (choice < 16) await this.#product(String(this.#below(30)));
      else if (choice < 18) await this.#change(String(this.#below(30)));
      else await this.#note(`${this.phase}-${visitor}-${turn % 5}`);
      await pause(10);
    }
  }

  async #product(id: string): Promise<void> {
    const known = this.acknowledged.get(id) ?? 0;
    const product = (await this.#ask('GET', `/products/${id}`)) as { version: number } | undefined;
    if (product !== undefined && product.version < known) {
      this.outdated.push(`${this.phase}: product ${id} in version ${product.version} after ${known}`);
    }
  }

  async #change(id: string): Promise<void> {
    const way = ['purchase', 'reprice', 'recall'][this.#below(3)]!;
    const changed = (await this.#ask('POST', `/products/${id}/${way}`)) as { version: number } | undefined;
    if (changed !== undefined) this.acknowledged.set(id, Math.max(changed.version, this.acknowledged.get(id) ?? 0));
  }

  async #note(id: string): Promise<void> {
    const noted = (await this.#ask('POST', `/notes/${id}`)) as { version: number } | undefined;
    if (noted === undefined) return;
    this.acknowledged.set(`note:${id}`, noted.version);
    if (id.startsWith('during')) this.notedDuring.set(`note:${id}`, noted.version);
  }

  async #ask(method: 'GET' | 'POST', path: string): Promise<unknown> {
    const { phase } = this;
    const startedAt = performance.now();
    try {
      const { status, outcome, text } = await this.#send(method, path);
      const ms = performance.now() - startedAt;
      if (status !== 200) this.failures.push(`${phase}: ${method} ${path} was answered ${status}: ${text}`);
      this.#visits.push({ phase, path, cause: causeOf(method, path, outcome), outcome, ms });
      return JSON.parse(text) as unknown;
    } catch (error) {
      this.failures.push(`${phase}: ${method} ${path}: ${String(error)}`);
      return undefined;
    }
  }

  #send(method: string, path: string): Promise<{ status: number; outcome: XCache | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      const request = http.request(this.url + path, { method, agent: this.#agent }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            outcome: response.headers['x-cache'] as XCache | undefined,
            text,
          }),
        );
      });
      request.setTimeout(HUNG_MS, () => request.destroy(new Error(`no answer within ${HUNG_MS} ms`)));
      request.on('error', reject);
      request.end();
    });
  }

  /** A whole number below `limit`: the same sequence every time (Park and Miller). */
  #below(limit: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random % limit;
  }
}

function causeOf(method: 'GET' | 'POST', path: string, outcome: XCache | undefined): Cause {
  if (method === 'POST') return 'changed';
  if (path === HOT) return outcome === 'HIT' ? 'hot' : 'cooled';
  return outcome === 'MISS' ? 'loaded' : 'other';
}
