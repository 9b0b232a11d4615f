import type { CacheLog } from '../../cache/base/cache-log.js';
import type { Call } from '../inputs/call.js';
import type { InputPath } from '../inputs/input-path.js';

/** A path that a key requires. */
interface RequiredPath {
  readonly path: InputPath;
  /** The path that was probably meant. */
  readonly meant: string | undefined;
}

/** Reports missing inputs of one handler or method. Each is reported once. */
export class MissingInputs {
  readonly #reported = new Set<string>();
  readonly #required: RequiredPath[] = [];

  constructor(
    private readonly owner: string,
    private readonly log: CacheLog,
  ) {}

  /** Returns a function that reports a call without a value at the path. The report names all paths that the call lacks. */
  require(path: InputPath, meant: string | undefined): (call: Call) => void {
    this.#required.push({ path, meant });
    return (call) => {
      if (this.#reported.has(quoted(path))) return;
      this.#report(this.#required.filter((one) => one.path === path || isMissing(one.path, call)));
    };
  }

  /** @param input the input as the decorator names it: `'user.id'`. */
  report(input: string): void {
    if (!this.#isFirst(input)) return;
    this.#warn(`${input} was`, "Correct the path, or end it with '?' if undefined is a valid value.");
  }

  #report(missing: readonly RequiredPath[]): void {
    const paths = missing.filter(({ path }) => this.#isFirst(quoted(path)));
    const meant = paths.flatMap((one) => one.meant ?? []);
    const hint = meant.length === 0 ? '' : `Did you mean ${meant.map((one) => `'${one}'`).join(' and ')}? `;
    const advice =
      paths.length === 1
        ? "Correct the path, or end it with '?' if undefined is a valid value."
        : "Correct the paths, or end them with '?' if undefined is a valid value.";
    this.#warn(
      `${paths.map(({ path }) => quoted(path)).join(' and ')} ${paths.length === 1 ? 'was' : 'were'}`,
      hint + advice,
    );
  }

  #isFirst(input: string): boolean {
    if (this.#reported.has(input)) return false;
    this.#reported.add(input);
    return true;
  }

  #warn(missing: string, advice: string): void {
    this.log(
      'warn',
      'VARY_UNDEFINED',
      `${this.owner}: ${missing} undefined, so the call bypassed the cache, as every such call does. ${advice}`,
    );
  }
}

/** Arguments of handlers are not read a second time, because custom decorators of the application create them. */
function isMissing({ argument, read }: InputPath, call: Call): boolean {
  if (argument !== undefined) return false;
  const value = read(call);
  return value === undefined || value === null;
}

function quoted({ text }: InputPath): string {
  return `'${text}'`;
}
