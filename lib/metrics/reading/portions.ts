/** How long a piece of work has the event loop before others get their turn, milliseconds. */
const PORTION_MS = 1;

/**
 * Cuts long work into portions: between them the event loop is free. The machine's own time counts here, not a clock that
 * somebody turns.
 */
export class Portions {
  #since = performance.now();

  /** Whether this portion has been long enough. */
  get over(): boolean {
    return performance.now() - this.#since >= PORTION_MS;
  }

  /** Lets everybody else who is ready go first. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/** All of it, taken a portion at a time. */
export async function inPortions<T>(items: Iterable<T>, portions = new Portions()): Promise<T[]> {
  const all: T[] = [];
  await eachInPortions(items, (item) => all.push(item), portions);
  return all;
}

/** Does something with each, a portion at a time. */
export function eachInPortions<T>(
  items: Iterable<T>,
  work: (item: T) => unknown,
  portions = new Portions(),
): Promise<void> {
  return takenInPortions(stepsOf(items, work), portions);
}

function* stepsOf<T>(items: Iterable<T>, work: (item: T) => unknown): Generator<void, void> {
  for (const item of items) {
    work(item);
    yield;
  }
}

/** Takes every step of a piece of work, a portion at a time. */
export async function takenInPortions<T>(steps: Iterator<void, T>, portions = new Portions()): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (portions.over) await portions.rest();
  }
}

/** Takes every step of a piece of work at once. */
export function takenAtOnce<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
