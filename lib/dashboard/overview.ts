import { gzip } from 'node:zlib';
import { promisify } from 'node:util';
import { HttpException, Inject, Injectable } from '@nestjs/common';
import { CacheError } from '../cache/base/errors.js';
import { monitoringErrorOf } from '../monitoring/monitoring-error.js';
import { type MonitoringRequest, partsOf, unknownPart } from '../monitoring/parameters.js';
import { presentedText } from '../monitoring/presenter.js';
import { type ReadingName, Readings } from '../monitoring/readings.js';
import { maxAgeOf, type SharedAnswer, SharedAnswers } from '../monitoring/shared-answers.js';
import { DASHBOARD_FACTS, type DashboardFacts } from './dashboard-facts.js';

/*
 * What a page shows, in one answer.
 *
 * A page asks ten routes again and again. Each request costs the application far more than the figures, which are made once for all
 * pages that ask within a few seconds: so a page asks for everything it shows at once. An answer is put together from the texts of the
 * routes, encoded and compressed once, and sent to all who ask for the same parts while these are the same.
 */

/** The facts of the application, which only the dashboard has. */
const CONTEXT = 'dashboard/context';
/** What the first page shows. */
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

/** One part that is asked for. */
interface Route {
  /** As it was asked for. */
  readonly part: string;
  readonly name: PartName;
  readonly query: unknown;
}

/** How old the parts of an answer may be, milliseconds: half of what a page waits before it asks again. */
const KEEP_MS: Readonly<Record<string, number>> = { '1m': 2_500, '5m': 5_000, '1h': 10_000, '24h': 30_000 };
const KEEP_SLOW_MS = 15_000;
const KEEP_CONTEXT_MS = 30_000;
/** Answers that are kept as bytes. */
const MAX_ANSWERS = 16;
/** Shorter ones are not compressed. */
const LEAST_COMPRESSED = 1_400;

/** An answer of a route, or why there is none. */
type Part = SharedAnswer | Refusal;

interface Refusal {
  /** JSON: `{ statusCode, code, message }`. */
  readonly refusal: string;
}

/** An answer in the forms in which it is sent. */
export interface OverviewBytes {
  readonly tag: string;
  readonly plain: Buffer;
  /** Undefined where it is too short to be worth it. */
  readonly gzip: Promise<Buffer> | undefined;
}

interface Kept extends OverviewBytes {
  readonly parts: readonly Part[];
}

const compress = promisify(gzip);

/** Puts the answers of several routes together. */
@Injectable()
export class Overview {
  readonly #kept = new Map<string, Kept>();
  #made = 0;
  readonly #run = Date.now().toString(36);

  constructor(
    @Inject(Readings) private readonly readings: Readings,
    @Inject(SharedAnswers) private readonly shared: SharedAnswers,
    @Inject(DASHBOARD_FACTS) private readonly facts: () => Promise<DashboardFacts>,
  ) {}

  /**
   * The parts that `?part=` names, with the query that each route takes; without it those of the first page, with the query of the
   * request. One that is refused does not keep the others away.
   * @throws MonitoringError for a part that is not a route.
   */
  async answer(request: MonitoringRequest): Promise<OverviewBytes> {
    const { headers = {}, query } = request;
    const asked = maxAgeOf(headers) ?? Infinity;
    const named = partsOf(request)?.map((part) => this.#routeOf(part));
    const routes = named ?? PARTS.map((name) => ({ part: name, name, query }));
    const parts = await Promise.all(routes.map((route) => this.#read(route, asked)));
    const address = request.originalUrl ?? request.url ?? '';
    const names = routes.map(({ part }) => part);
    const known = this.#kept.get(address);
    if (known !== undefined && parts.every((part, at) => part === known.parts[at])) return known;
    const plain = Buffer.from(textOf(names, parts));
    const tag = `W/"${this.#run}-${++this.#made}"`;
    // Fast: what one page more saves by a better one is less than making it.
    const packed = plain.length < LEAST_COMPRESSED ? undefined : compress(plain, { level: 1 });
    const kept = { parts, tag, plain, gzip: packed };
    this.#keep(address, kept);
    return kept;
  }

  #routeOf(part: string): Route {
    const at = part.indexOf('?');
    const name = at < 0 ? part : part.slice(0, at);
    if (name !== CONTEXT && !this.readings.has(name)) throw unknownPart(part);
    return { part, name, query: Object.fromEntries(new URLSearchParams(at < 0 ? '' : part.slice(at))) };
  }

  async #read({ name, query }: Route, askedMs: number): Promise<Part> {
    try {
      if (name === CONTEXT) {
        const make = async () => ({ text: await presentedText(await this.facts()) });
        return await this.shared.answer(CONTEXT, Math.min(askedMs, KEEP_CONTEXT_MS), make);
      }
      const { window } = (query ?? {}) as { readonly window?: unknown };
      const keepMs = this.readings.isSlow(name) ? KEEP_SLOW_MS : (KEEP_MS[String(window)] ?? KEEP_MS['5m']!);
      return await this.readings.read(name, { query }, Math.min(askedMs, keepMs));
    } catch (error) {
      const refusal = error instanceof CacheError ? monitoringErrorOf(error) : error;
      if (refusal instanceof HttpException) return { refusal: JSON.stringify(refusal.getResponse()) };
      throw error;
    }
  }

  #keep(address: string, kept: Kept): void {
    this.#kept.delete(address);
    this.#kept.set(address, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_ANSWERS) this.#kept.delete(oldest!);
  }
}

function textOf(names: readonly string[], parts: readonly Part[]): string {
  const fields = { answers: [] as string[], refusals: [] as string[], instances: [] as string[] };
  names.forEach((name, at) => {
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
