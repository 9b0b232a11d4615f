import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { setTimeout as pause } from 'node:timers/promises';
import { CacheProcess } from '../support/cache-process.js';
import { eventually, RedisServer } from '../support/redis.js';

/** After a lost connection a process receives invalidations again within this time, or drops its memory. */
const BUS_RESTORED_WITHIN_MS = 2_000;
const KEYS = ['a:1', 'a:2', 'b:1'] as const;
const TAGS: Readonly<Record<string, string[]>> = { 'a:1': ['red'], 'a:2': [], 'b:1': ['red', 'blue'] };

/** One step of one process. Invalidations and sets make a new version of their keys. */
type Step =
  | {
      readonly what: 'load';
      readonly by: 0 | 1;
      readonly through: 'memory' | 'redis';
      readonly key: string;
      readonly pauseMs: number;
    }
  | { readonly what: 'get'; readonly by: 0 | 1; readonly through: 'memory' | 'redis'; readonly key: string }
  | { readonly what: 'peek'; readonly by: 0 | 1; readonly through: 'memory'; readonly key: string }
  | { readonly what: 'set' | 'delete'; readonly by: 0 | 1; readonly key: string }
  | { readonly what: 'glob'; readonly by: 0 | 1; readonly glob: string }
  | { readonly what: 'tags'; readonly by: 0 | 1; readonly tag: string }
  | { readonly what: 'cut' };

const by = fc.constantFrom(0 as const, 1 as const);
const key = fc.constantFrom(...KEYS);
const through = fc.constantFrom('memory' as const, 'redis' as const);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('load' as const), by, through, key, pauseMs: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('get' as const), by, through, key }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('peek' as const), by, through: fc.constant('memory' as const), key }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('set' as const, 'delete' as const), by, key }) },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('glob' as const), by, glob: fc.constantFrom('a:*', 'b:1', '*:1') }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('tags' as const), by, tag: fc.constantFrom('red', 'blue') }) },
);
/** Rounds of steps that begin together, each after some milliseconds. */
const round = fc.array(fc.record({ step: steps, afterMs: fc.nat(4) }), { minLength: 1, maxLength: 5 });

/** An acknowledged change: versions from before its begin must not be read after its end. */
interface Change {
  readonly by: number;
  readonly version: number;
  readonly set: boolean;
  readonly began: number;
  ended: number;
}

/** The versions that two processes may read, given the changes acknowledged before the read. */
class History {
  readonly wrong: string[] = [];
  readonly #versions = new Map<string, number>();
  readonly #changes = new Map<string, Change[]>();
  /** When running loads began, by process and key: a read that joins one gets its result. */
  readonly #loads = new Map<string, number[]>();
  #time = 0;

  version(key: string): number {
    return this.#versions.get(key) ?? 0;
  }

  /** A change begins; call the result when it is acknowledged. */
  change(keys: readonly string[], by: number, set = false): () => void {
    const began = ++this.#time;
    const changes = keys.map((key): Change => {
      const version = this.version(key) + 1;
      this.#versions.set(key, version);
      const change = { by, version, set, began, ended: Infinity };
      this.#changes.set(key, [...(this.#changes.get(key) ?? []), change]);
      return change;
    });
    return () => {
      const ended = ++this.#time;
      for (const change of changes) change.ended = ended;
    };
  }

  /**
   * A read begins; call the returned function with its result.
   * @param by the process whose changes it must see; undefined: all processes.
   * @param sharedLoad the name of the in-flight load that concurrent loads of one process share.
   */
  read(key: string, by: number | undefined, what: string, sharedLoad?: string): (version: unknown) => void {
    const loads = sharedLoad === undefined ? [] : (this.#loads.get(sharedLoad) ?? []);
    const began = Math.min(++this.#time, ...loads);
    if (sharedLoad !== undefined) this.#loads.set(sharedLoad, [...loads, began]);
    return (version) => {
      if (sharedLoad !== undefined) {
        const left = [...this.#loads.get(sharedLoad)!];
        left.splice(left.indexOf(began), 1);
        this.#loads.set(sharedLoad, left);
      }
      if (typeof version !== 'number') return;
      const changes = this.#changes.get(key) ?? [];
      const since = (change: Change) =>
        change.ended < began && change.version > version && (by === undefined || change.by === by);
      // A set concurrent with the change may come after it.
      const isConcurrent = (change: Change) =>
        changes.some((other) => other.set && other.version === version && other.ended > change.began);
      const missed = changes.find((change) => since(change) && !isConcurrent(change));
      if (missed !== undefined)
        this.wrong.push(`${what} of ${key} returned ${version}, which is older than ${missed.version}`);
    };
  }
}

describe.each([
  { clocks: 'agree', skews: [0, 0] },
  { clocks: 'are a minute apart', skews: [30_000, -30_000] },
])('two processes over one Redis: clocks $clocks', ({ skews }) => {
  let server: RedisServer;
  let processes: CacheProcess[];
  let history = new History();
  let run = 0;
  let playing = false;
  /** The results of reads, without those that check whether the caches agree. */
  let reads: unknown[] = [];
  /** How many of the reads called the origin. */
  let loads = 0;
  beforeEach(() => {
    reads = [];
    loads = 0;
  });
  beforeAll(async () => {
    server = await RedisServer.start();
    const origin = (named: string) => {
      if (playing) loads++;
      return history.version(named.slice(named.indexOf('/') + 1));
    };
    processes = await Promise.all(skews.map((skewMs) => CacheProcess.start(server.url, origin, skewMs)));
  }, 30_000);
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.dispose()));
    await server.dispose();
  });

  const named = (key: string) => `${run}/${key}`;
  const tagsOf = (key: string) => TAGS[key]!.map(named);

  async function take(step: Step): Promise<void> {
    if (step.what === 'cut') {
      await (await server.client()).sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      return;
    }
    const process = processes[step.by]!;
    switch (step.what) {
      case 'load':
      case 'get':
      case 'peek': {
        const answered = history.read(
          step.key,
          step.through === 'redis' ? undefined : step.by,
          `${step.what} through ${step.through}`,
          // A running load is shared in its process, also after another process invalidated it.
          step.what === 'load' && step.through === 'redis' ? `${step.by} ${step.key}` : undefined,
        );
        const pauseMs = step.what === 'load' ? step.pauseMs : 0;
        const version = await process.ask(step.what, {
          through: step.through,
          key: named(step.key),
          tags: tagsOf(step.key),
          pauseMs,
        });
        answered(version);
        reads.push(version);
        return;
      }
      case 'set':
      case 'delete': {
        const acknowledged = history.change([step.key], step.by, step.what === 'set');
        await process.ask(step.what, {
          key: named(step.key),
          tags: tagsOf(step.key),
          version: history.version(step.key),
        });
        return acknowledged();
      }
      case 'glob': {
        const matching = KEYS.filter((one) => new RegExp(`^${step.glob.replace('*', '.*')}$`).test(one));
        const acknowledged = history.change(matching, step.by);
        await process.ask('glob', { key: named(step.glob) });
        return acknowledged();
      }
      case 'tags': {
        const acknowledged = history.change(
          KEYS.filter((one) => TAGS[one]!.includes(step.tag)),
          step.by,
        );
        await process.ask('tags', { tags: [named(step.tag)] });
        return acknowledged();
      }
    }
  }

  async function play(rounds: readonly (readonly { step: Step; afterMs: number }[])[]): Promise<void> {
    run++;
    history = new History();
    playing = true;
    for (const together of rounds) {
      await Promise.all(
        together.map(async ({ step, afterMs }) => {
          await pause(afterMs);
          await take(step);
        }),
      );
    }
    playing = false;
    expect(history.wrong).toEqual([]);
  }

  /** Waits until messages have arrived and the memory of each process agrees with Redis. @returns how long that took. */
  async function agree(withinMs: number): Promise<void> {
    const reads = KEYS.flatMap((one) => processes.map((process) => ({ one, process })));
    await eventually(
      async () => {
        const seen = history.wrong.length;
        await Promise.all(
          reads.map(async ({ one, process }) => {
            const answered = history.read(one, undefined, 'get');
            answered(await process.ask('get', { key: named(one) }));
          }),
        );
        return history.wrong.splice(seen).length === 0;
      },
      'what memory holds is up to date',
      withinMs,
    );
  }

  /** Checks that the caches store values: a cache that stores nothing would pass every other check. */
  async function keep(): Promise<void> {
    for (const [through, kept] of [
      ['memory', 'peek'],
      ['redis', 'get'],
    ] as const) {
      await eventually(async () => {
        const found = await Promise.all(
          KEYS.flatMap((one) =>
            processes.map(async (process) => {
              const ask = { key: named(one), tags: tagsOf(one), through };
              return (await process.ask('load', ask)) === (await process.ask(kept, ask));
            }),
          ),
        );
        return found.every(Boolean);
      }, `what is loaded through ${through} is kept`);
    }
  }

  /** The share of reads, 0–1, that returned a value without calling the origin. */
  const answeredByTheCache = () =>
    (reads.filter((version) => typeof version === 'number').length - loads) / reads.length;

  it('two processes read nothing older than their own invalidations or, from Redis, those of both', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 12 }), async (rounds) => {
        await play(rounds);
        // The time that a message takes.
        await agree(500);
        await keep();
      }),
      { numRuns: 60, endOnFailure: true },
    );
    expect(answeredByTheCache()).toBeGreaterThan(0.15);
  }, 60_000);

  it('two processes do not trust memory entries whose invalidations they may have missed while the bus was cut', async () => {
    const cut: Step = { what: 'cut' };
    await fc.assert(
      fc.asyncProperty(
        fc.array(round, { minLength: 1, maxLength: 5 }),
        fc.array(round, { minLength: 1, maxLength: 5 }),
        async (before, after) => {
          await play([...before, [{ step: cut, afterMs: 0 }], ...after]);
          await agree(BUS_RESTORED_WITHIN_MS);
          await keep();
        },
      ),
      { numRuns: 15, endOnFailure: true },
    );
    expect(answeredByTheCache()).toBeGreaterThan(0.15);
  }, 60_000);
});
