import type { Entry } from '../../cache/entry.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { ReadPlan } from '../../cache/read-plan.js';
import type { TimedHeaders } from './header-list.js';
import type { HeaderList } from './header-list.js';
import type { LaneChoice } from './fast-lane.options.js';

/** Request headers that what stands before a handler answers by, whatever it says in `Vary`. */
const ALWAYS = ['origin', 'accept-encoding', 'x-forwarded-proto'] as const;
const MOST_HEADER_LISTS = 256;

export interface LaneRouteParts {
  readonly cache: LayeredCache;
  readonly plan: ReadPlan;
  /** For messages: `FeedController.discover()`. */
  readonly owner: string;
  readonly choice: LaneChoice;
  readonly answersAuthorization: boolean;
  readonly honorRequestDirectives: boolean;
  /** Request headers in the handler's keys, lower case; `host` where hosts decide routes. */
  readonly keyHeaders: readonly string[];
  /** Headers that depend on the moment. */
  readonly timed: (entry: Entry) => TimedHeaders;
}

/** One handler whose hits may leave before the framework, and the header lists its answers were seen with. */
export class LaneRoute {
  readonly parts: LaneRouteParts;
  /** False once something was found that its hits may not leave out. */
  open = true;
  /** True once what stands before it was looked at while requests ran. */
  checked = false;
  #names: string[];
  readonly #known = new Map<string, HeaderList>();

  constructor(parts: LaneRouteParts) {
    this.parts = parts;
    this.#names = [...new Set([...ALWAYS, ...parts.keyHeaders])];
  }

  /** What a request says that its answer may depend on, beside its address. */
  saying(headers: Readonly<Record<string, string | string[] | undefined>>): string {
    const names = this.#names;
    let text = '';
    for (let index = 0; index < names.length; index++) {
      const value = headers[names[index]!];
      // No header holds a line feed, nor is one empty and absent at once.
      text += value === undefined ? '\n' : `=${String(value)}\n`;
    }
    return text;
  }

  /** What a request says beside that. */
  *unkeyed(headers: Readonly<Record<string, string | string[] | undefined>>): Iterable<string> {
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined && value !== '' && !this.#names.includes(name)) yield String(value);
    }
  }

  /** Takes up what `Vary` names; true where that was new, so that what was learned before is worth nothing. */
  dependOn(names: readonly string[]): boolean {
    const added = names.filter((name) => name !== '' && !this.#names.includes(name));
    if (added.length === 0) return false;
    this.#names = [...this.#names, ...added];
    this.#known.clear();
    return true;
  }

  known(saying: string, kind: string): HeaderList | undefined {
    return this.#known.get(kind + saying);
  }

  keep(saying: string, kind: string, list: HeaderList): void {
    if (this.#known.size >= MOST_HEADER_LISTS) this.#known.clear();
    this.#known.set(kind + saying, list);
  }

  forget(saying: string, kind: string): void {
    this.#known.delete(kind + saying);
  }
}
