import type { EncodedAnswer } from '../http/encoded-answer.js';
import type { HeaderList, TimedHeaders } from './header-list.js';
import type { LaneRoute } from './lane-route.js';

/** Header lists are held to be true for this long; then one request goes the full path and they are compared. */
const TRUSTED_MS = 30_000;
/** How long that one request may take before another is sent after it. */
const COMPARING_MS = 1_000;

/** What the full path answered to one address, asked in one way. */
export class SeenAnswer {
  #confirmed: HeaderList | undefined;
  #candidate: HeaderList | undefined;
  #until = 0;
  #answer: EncodedAnswer | undefined;
  #pairs: string[] = [];

  /** The list to answer with; undefined until two answers agreed, and when it is time to compare again. */
  list(now: number): HeaderList | undefined {
    if (this.#confirmed === undefined) return undefined;
    if (now < this.#until) return this.#confirmed;
    this.#until = now + COMPARING_MS;
    return undefined;
  }

  /** True where the full path's next answer should be looked at. */
  wanted(now: number): boolean {
    return this.#confirmed === undefined || now >= this.#until - COMPARING_MS;
  }

  /** Names and values in turn, the same array while the answer is the same. */
  pairs(list: HeaderList, answer: EncodedAnswer, timed: TimedHeaders | undefined): string[] {
    if (this.#answer !== answer || timed !== undefined) {
      this.#pairs = list.of(answer, timed ?? nothing);
      this.#answer = answer;
    }
    return this.#pairs;
  }

  /** Compares an answer of the full path with those before. Returns names of headers that differ. */
  saw(list: HeaderList, now: number, known: HeaderList | undefined): readonly string[] {
    const before = known ?? this.#confirmed ?? this.#candidate;
    const differences = before === undefined ? [] : before.differences(list);
    const agreed = before !== undefined && differences.length === 0;
    this.#confirmed = agreed ? before : undefined;
    this.#candidate = agreed ? undefined : list;
    this.#until = agreed ? now + TRUSTED_MS : 0;
    this.#answer = undefined;
    return differences;
  }

  get confirmed(): HeaderList | undefined {
    return this.#confirmed;
  }
}

function nothing(): undefined {
  return undefined;
}

const MOST_WAYS = 8;

/** One address of one method: the handler and key the framework found for it, and what was answered to which headers. */
export class KnownAddress {
  readonly #ways = new Map<string, Way>();

  constructor(readonly route: LaneRoute) {}

  way(saying: string): Way | undefined {
    return this.#ways.get(saying);
  }

  /** Of a request that the handler answered under this key. */
  learn(saying: string, key: string): Way {
    let way = this.#ways.get(saying);
    if (way === undefined || way.key !== key) {
      if (this.#ways.size >= MOST_WAYS) this.#ways.clear();
      way = { key, whole: new SeenAnswer(), notModified: new SeenAnswer() };
      this.#ways.set(saying, way);
    }
    return way;
  }
}

/** One way of asking an address. */
export interface Way {
  readonly key: string;
  readonly whole: SeenAnswer;
  readonly notModified: SeenAnswer;
}
