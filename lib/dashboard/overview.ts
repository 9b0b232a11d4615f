import { parse } from 'node:querystring';
import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { HttpException } from '@nestjs/common';
import { CacheError } from '../cache/base/errors.js';
import type { LiveEvents } from '../monitoring/live-events.js';
import { monitoringErrorOf } from '../monitoring/monitoring-error.js';
import { type MonitoringRequest, partsOf, unknownPart } from '../monitoring/parameters.js';
import { presentedText } from '../monitoring/presenter.js';
import type { ReadingName, Readings } from '../monitoring/readings.js';
import { MAX_AGE_MS, maxAgeOf, type SharedAnswer, type SharedAnswers } from '../monitoring/shared-answers.js';
import type { DashboardFacts } from './dashboard-facts.js';

/*
 * Returns all data of a page in one answer.
 *
 * A request costs the application far more than computing the data of its answer. So a page sends one request for all its data.
 * All pages share the answers of routes for some seconds, and the combined text is encoded and compressed once. A request that
 * finds such an answer costs one lookup.
 */

/** The part with facts about the application, which no route outside the dashboard returns. */
const CONTEXT = 'dashboard/context';
/** The parts that the first page shows. */
const PARTS: readonly PartName[] = [
  CONTEXT,
  'health',
  'stats',
  'history',
  'stats/patterns',
  'stats/layers',
  'stats/endpoints',
  'insights',
  'alerts',
];
type PartName = ReadingName | typeof CONTEXT;

/** A requested part. */
interface Route {
  /** The part as requested, with its query. */
  readonly part: string;
  readonly name: PartName;
  readonly query: unknown;
}

/** The maximum age of a part by window, milliseconds: half of the page's interval. */
const KEEP_MS: Readonly<Record<string, number>> = { '1m': 2_500, '5m': 5_000, '1h': 10_000, '24h': 30_000 };
const KEEP_SLOW_MS = 15_000;
/** The limit of stored answers. */
const MAX_ANSWERS = 16;
/** Shorter answers are not compressed. */
const LEAST_COMPRESSED = 1_400;

/** An answer of a route, or its refusal. */
type Part = SharedAnswer | Refusal;

interface Refusal {
  /** JSON: `{ statusCode, code, message }`. */
  readonly refusal: string;
}

/** An answer as bytes, plain and compressed. */
export interface OverviewBytes {
  readonly tag: string;
  readonly plain: Buffer;
  /** Undefined for a short answer. */
  readonly gzip: Promise<Buffer> | undefined;
}

interface Kept {
  readonly bytes: OverviewBytes;
  readonly parts: readonly Part[];
  /** When the oldest part was created, milliseconds of `performance.now()`. */
  readonly madeAt: number;
  /** The earliest time at which a part is too old. */
  readonly until: number;
  /** {@link SharedAnswers.clearings} when the answer was created. */
  readonly clearings: number;
}

const compress = promisify(gzip);

/** Combines the answers of several routes into one. */
export class Overview {
  /** The stored answers by their parts, the oldest first. */
  readonly #kept = new Map<string, Kept>();
  #made = 0;
  readonly #run = Date.now().toString(36);

  constructor(
    private readonly readings: Readings,
    private readonly shared: SharedAnswers,
    private readonly events: Pick<LiveEvents, 'pace'>,
    private readonly facts: () => Promise<DashboardFacts>,
  ) {}

  /** The factor by which a page should multiply its intervals: see {@link LiveEvents.pace}. */
  get pace(): number {
    return this.events.pace;
  }

  /**
   * Answers the parts that `?part=` names, each with its own query. Without `?part=`, answers the parts of the first page with
   * the query of the request. If one part is refused, the others are still answered.
   * @throws MonitoringError for a part that is not a route.
   */
  async answer({ headers = {}, query }: MonitoringRequest): Promise<OverviewBytes> {
    const askedMs = maxAgeOf(headers) ?? Infinity;
    const named = partsOf({ query });
    const address = JSON.stringify(named ?? query ?? null);
    const known = this.#kept.get(address);
    if (known !== undefined && this.#isGood(known, askedMs)) return known.bytes;
    const { clearings } = this.shared;
    const routes = named?.map((part) => this.#routeOf(part)) ?? PARTS.map((name) => ({ part: name, name, query }));
    const parts = await Promise.all(routes.map((route) => this.#read(route, askedMs)));
    const times = parts.map((part, at) => this.#timesOf(part, routes[at]!));
    const madeAt = Math.min(...times.map((time) => time.madeAt));
    const until = Math.min(...times.map((time) => time.until));
    const latest = this.#kept.get(address);
    const isSame = latest !== undefined && parts.every((part, at) => part === latest.parts[at]);
    const bytes = isSame ? latest.bytes : this.#bytesOf(textOf(routes, parts));
    this.#keep(address, { bytes, parts, madeAt, until, clearings });
    return bytes;
  }

  #isGood({ clearings, madeAt, until }: Kept, askedMs: number): boolean {
    const now = performance.now();
    return clearings === this.shared.clearings && now <= until && now - madeAt <= askedMs;
  }

  #routeOf(part: string): Route {
    const at = part.indexOf('?');
    const name = at < 0 ? part : part.slice(0, at);
    if (name !== CONTEXT && !this.readings.has(name)) throw unknownPart(part);
    // Parses the query as the platforms do: a repeated parameter is a list, which the routes refuse.
    return { part, name, query: parse(at < 0 ? '' : part.slice(at + 1)) };
  }

  async #read(route: Route, askedMs: number): Promise<Part> {
    const { name, query } = route;
    const maxAgeMs = Math.min(askedMs, this.#keepMsOf(route));
    try {
      if (name !== CONTEXT) return await this.readings.read(name, { query }, maxAgeMs);
      const make = async () => ({ text: await presentedText(await this.facts()) });
      return await this.shared.answer(CONTEXT, maxAgeMs, make);
    } catch (error) {
      const refusal = error instanceof CacheError ? monitoringErrorOf(error) : error;
      if (refusal instanceof HttpException) return { refusal: JSON.stringify(refusal.getResponse()) };
      throw error;
    }
  }

  /** Pages with longer intervals accept older parts. */
  #keepMsOf({ name, query }: Route): number {
    if (name === CONTEXT) return MAX_AGE_MS;
    const { window } = (query ?? {}) as { readonly window?: unknown };
    const keepMs = this.readings.isSlow(name) ? KEEP_SLOW_MS : (KEEP_MS[String(window)] ?? KEEP_MS['5m']!);
    return Math.min(MAX_AGE_MS, keepMs * this.pace);
  }

  /** A refusal is not reused, because the next request may succeed. */
  #timesOf(part: Part, route: Route): Pick<Kept, 'madeAt' | 'until'> {
    if ('refusal' in part) return { madeAt: -Infinity, until: -Infinity };
    return { madeAt: part.at, until: part.at + this.#keepMsOf(route) };
  }

  #bytesOf(text: string): OverviewBytes {
    const plain = Buffer.from(text);
    const tag = `W/"${this.#run}-${++this.#made}"`;
    // Level 1, because higher levels cost more CPU time than the saved bytes are worth.
    const packed = plain.length < LEAST_COMPRESSED ? undefined : compress(plain, { level: 1 });
    return { tag, plain, gzip: packed };
  }

  #keep(address: string, kept: Kept): void {
    this.#kept.delete(address);
    this.#kept.set(address, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_ANSWERS) this.#kept.delete(oldest!);
  }
}

function textOf(routes: readonly Route[], parts: readonly Part[]): string {
  const fields = { answers: [] as string[], refusals: [] as string[], instances: [] as string[] };
  routes.forEach(({ part: name }, at) => {
    const part = parts[at]!;
    const field = (text: string) => `${JSON.stringify(name)}:${text}`;
    if ('refusal' in part) return void fields.refusals.push(field(part.refusal));
    fields.answers.push(field(part.text));
    if (part.instances !== undefined) fields.instances.push(field(String(part.instances)));
  });
  return `{${Object.entries(fields)
    .map(([name, texts]) => `"${name}":{${texts.join()}}`)
    .join()}}`;
}
