import { shown } from '../cache/base/shown.js';
import { TimeSlice } from '../cache/base/slices.js';
import { nearest } from '../cache/options/unknown-option.js';
import type { DatabaseMetrics } from '../database/records/database-metrics.js';
import type { FleetAnswers } from '../fleet/fleet-answers.js';
import type { Instances } from '../instances/instances.js';
import type { CacheMetrics } from '../metrics/cache-metrics.js';
import { CpuProfiler } from '../profiling/cpu-profile.js';
import type { CacheProfiler } from '../profiling/profiler.js';
import { nameIn } from '../tuning/override-record.js';
import type { PolicyReport } from '../tuning/policy-tuning.js';
import type { CacheWarmer } from '../warming/cache-warmer.js';
import { cpuProfileSecondsOf, invalidationsOf, noBodyOf, policyBodyOf, warmBodyOf } from './bodies.js';
import type { MonitoredCache, MonitoredCaches } from './monitored-cache.js';
import { MonitoringError } from './monitoring-error.js';
import {
  cacheNameOf,
  cacheParameterOf,
  cachesOf,
  flamegraphFormatOf,
  type MonitoringRequest,
  pathParameterOf,
  requiredPatternOf,
  shapeOf,
  waitOf,
  writtenCacheOf,
} from './parameters.js';
import { ofCache } from './presenter.js';
import { type ReadingName, Readings } from './readings.js';
import type { Reply } from './reply.js';
import { ServerInformation } from './server-information.js';
import { maxAgeOf, SharedAnswers } from './shared-answers.js';
import { shownPolicy } from './shown-policy.js';

/** The parts of the application that the routes read and change. */
export interface RouteSubjects {
  readonly reply: Reply;
  readonly cache: MonitoredCache;
  readonly metrics: CacheMetrics;
  readonly named: MonitoredCaches;
  readonly fleet: FleetAnswers;
  readonly databases: DatabaseMetrics;
  readonly instances: Instances;
  readonly warmer: CacheWarmer;
  /** Undefined if profiling is off. */
  readonly profiler: CacheProfiler | undefined;
}

/** The answer of `POST invalidate`: how many given keys were fresh, how many entries the globs removed, how many tags were given. */
export interface WriteCounts {
  readonly keys: number;
  readonly patterns: number;
  readonly tags: number;
}

/** The fields of `request.user` that hold a name; the first one present is used. */
const NAMES = ['username', 'name', 'id', 'sub'] as const;

const FLAMEGRAPH_TITLE = 'Operations of the cache';

/** Answers the requests to the routes. It is loaded at the first request, because most processes get none. */
export class RouteHandlers {
  readonly shared = new SharedAnswers();
  readonly readings: Readings;
  readonly #subjects: RouteSubjects;
  readonly #cpu = new CpuProfiler();

  constructor(subjects: RouteSubjects) {
    const { cache, metrics, named, fleet, databases, instances, warmer } = subjects;
    this.#subjects = subjects;
    const information = new ServerInformation(cache, named);
    const { shared } = this;
    this.readings = new Readings(cache, metrics, named, fleet, shared, information, databases, instances, warmer);
  }

  /** Runs before the server waits for its connections to end. */
  close(): void {
    this.readings.close();
    this.#cpu.close();
  }

  /** Answers with the figures of a route. */
  async read(name: ReadingName, request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply } = this.#subjects;
    const maxAgeMs = maxAgeOf(request.headers ?? {}) ?? 0;
    const { text, instances } = await this.readings.read(name, request, maxAgeMs);
    if (instances !== undefined) reply.header(response, 'X-Cache-Instances', String(instances));
    reply.text(response, text, 'application/json; charset=utf-8');
  }

  async databasePlan(request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply, databases } = this.#subjects;
    reply.json(response, await databases.plan(shapeOf(request)));
  }

  async warm(request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply, warmer } = this.#subjects;
    const wait = waitOf(request);
    const { id, done } = warmer.start(warmBodyOf(request));
    if (wait) return reply.json(response, await done);
    reply.header(response, 'Location', `${pathOf(request)}/${id}`);
    reply.json(response, warmer.getReport(id), 202);
  }

  run(request: MonitoringRequest, response: unknown): void {
    const { reply, warmer } = this.#subjects;
    const report = warmer.getReport(pathParameterOf(request, 'id'));
    if (report === undefined) {
      throw new MonitoringError(404, 'UNKNOWN_RUN', 'No warming run has this id. Only the latest runs are kept.');
    }
    reply.json(response, report);
  }

  reset(request: MonitoringRequest, response: unknown): void {
    noBodyOf(request);
    const { reply, metrics: figures, named, databases } = this.#subjects;
    const own: { readonly metrics: CacheMetrics } = { metrics: figures };
    const caches = cachesOf(request, own, named.all);
    for (const { metrics } of caches) metrics.reset();
    if (caches.includes(own)) databases.reset();
    this.shared.clear();
    reply.json(response, { reset: true, timestamp: new Date().toISOString() });
  }

  async invalidate(request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply, cache: own, named } = this.#subjects;
    const { keys, patterns, tags, cache: name } = invalidationsOf(request);
    const cache = writtenCacheOf(name, request, named.all) ?? own;
    const present = keys.length > 0 ? await cache.freshKeys(keys) : new Set();
    await Promise.all([
      keys.length > 0 ? cache.mdel([...keys]) : undefined,
      tags.length > 0 ? cache.invalidateTags(...tags) : undefined,
    ]);
    const slice = new TimeSlice();
    let removed = 0;
    // One after the other, because each glob is compared with every key.
    for (const glob of patterns) {
      removed += await cache.deleteByPattern(glob);
      if (slice.over) await slice.rest();
    }
    const counts: WriteCounts = { keys: present.size, patterns: removed, tags: tags.length };
    reply.json(response, counts);
  }

  overridePolicy(request: MonitoringRequest, response: unknown): Promise<void> {
    return this.#override(request, response, false);
  }

  /** Adds fields to the override that is in force. */
  extendPolicy(request: MonitoringRequest, response: unknown): Promise<void> {
    return this.#override(request, response, true);
  }

  async revertPolicy(request: MonitoringRequest, response: unknown): Promise<void> {
    const pattern = requiredPatternOf(request);
    const { tuning, metrics } = this.#asked(request);
    noBodyOf(request);
    const policy = shownPolicy(await tuning.revert(pattern, { by: whoAsks(request) }), metrics);
    this.#subjects.reply.json(response, ofCache(policy, cacheNameOf(request)));
  }

  async flamegraph(request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply, profiler } = this.#subjects;
    const format = flamegraphFormatOf(request);
    if (profiler === undefined) {
      throw new MonitoringError(
        404,
        'PROFILING_OFF',
        'Nothing is sampled: set profiling: true in the options of CacheObservabilityModule and start the application again.',
      );
    }
    const { flamegraphSvg, foldedText, speedscope } = await import('../profiling/views.js');
    const stacks = profiler.stacks();
    if (format === 'svg') reply.text(response, flamegraphSvg(stacks, FLAMEGRAPH_TITLE), 'image/svg+xml; charset=utf-8');
    else if (format === 'speedscope') reply.document(response, speedscope(stacks, FLAMEGRAPH_TITLE));
    else reply.text(response, foldedText(stacks), 'text/plain; charset=utf-8');
  }

  async cpuProfile(request: MonitoringRequest, response: unknown): Promise<void> {
    const { reply } = this.#subjects;
    const profile = await this.#cpu.take(cpuProfileSecondsOf(request));
    const name = `cache-${new Date().toISOString().replace(/[:.]/g, '-')}.cpuprofile`;
    reply.header(response, 'Content-Disposition', `attachment; filename="${name}"`);
    reply.document(response, profile);
  }

  /** Changes nothing. Succeeds if the caller has the right to change the cache. */
  writeAccess(request: MonitoringRequest, response: unknown): void {
    noBodyOf(request);
    this.#subjects.reply.json(response, { writes: true });
  }

  async #override(request: MonitoringRequest, response: unknown, keep: boolean): Promise<void> {
    const pattern = requiredPatternOf(request);
    const { tuning, metrics } = this.#asked(request);
    const { change, lasting } = policyBodyOf(request);
    if (!tuning.isDeclared(pattern)) await refuseUnknown(pattern, metrics, tuning.policies());
    const terms = { by: whoAsks(request), keep, ...(lasting !== undefined && { for: lasting }) };
    const policy = shownPolicy(await tuning.override(pattern, change, terms), metrics);
    this.#subjects.reply.json(response, ofCache(policy, cacheNameOf(request)));
  }

  #asked(request: MonitoringRequest): Pick<MonitoredCache, 'tuning'> & { readonly metrics: CacheMetrics } {
    const { cache, metrics, named } = this.#subjects;
    return cacheParameterOf(request, named.all) ?? { tuning: cache.tuning, metrics };
  }
}

function pathOf(request: MonitoringRequest): string {
  return (request.originalUrl ?? request.url ?? '').split('?')[0]!;
}

/** Returns the name of the authenticated user, as the application's guards set it. */
function whoAsks({ user }: MonitoringRequest): string {
  if (typeof user !== 'object' || user === null) return nameIn(user);
  const name = NAMES.map((field) => (user as Record<string, unknown>)[field]).find(
    (value) => typeof value === 'string' || typeof value === 'number',
  );
  return nameIn(name);
}

/** Refuses a pattern that is neither declared nor counted: an override of a misspelt pattern would have no effect. */
async function refuseUnknown(pattern: string, metrics: CacheMetrics, policies: readonly PolicyReport[]): Promise<void> {
  const counted = await metrics.collectPatternStats('all');
  const known = [...new Set([...policies, ...counted].map((each) => each.pattern))];
  if (known.includes(pattern)) return;
  const meant = nearest(pattern, known);
  const hint = meant === undefined ? '' : ` Did you mean ${shown(meant)}?`;
  throw new MonitoringError(
    404,
    'UNKNOWN_PATTERN',
    `No handler declares the pattern ${shown(pattern)}, and statistics do not list it.${hint} GET policies and GET stats/patterns list the known patterns.`,
  );
}
