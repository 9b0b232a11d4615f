/** The longest slice before other work can run, milliseconds. */
const SLICE_MS = 1;

/**
 * Divides long work into slices, so that the event loop can do other work in between. A slice is measured in real time, even if a test sets the
 * clock.
 */
export class TimeSlice {
  #since = performance.now();

  /** True if this slice is over. */
  get over(): boolean {
    return performance.now() - this.#since >= SLICE_MS;
  }

  /** Lets other ready work run, then starts the next slice. */
  async rest(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#since = performance.now();
  }
}

/** Collects all items, in slices. */
export async function collectInSlices<T>(items: Iterable<T>, slice = new TimeSlice()): Promise<T[]> {
  const all: T[] = [];
  await forEachInSlices(items, (item) => all.push(item), slice);
  return all;
}

/** Calls `work` for each item, in slices. */
export function forEachInSlices<T>(
  items: Iterable<T>,
  work: (item: T) => unknown,
  slice = new TimeSlice(),
): Promise<void> {
  return runInSlices(stepsOf(items, work), slice);
}

function* stepsOf<T>(items: Iterable<T>, work: (item: T) => unknown): Generator<void, void> {
  for (const item of items) {
    work(item);
    yield;
  }
}

/** Runs all steps of a generator, in slices. */
export async function runInSlices<T>(steps: Iterator<void, T>, slice = new TimeSlice()): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slice.over) await slice.rest();
  }
}

/** Runs all steps as {@link runInSlices} does. Returns the result itself if one slice was enough, otherwise a promise. */
export function startInSlices<T>(steps: Iterator<void, T>): T | Promise<T> {
  const slice = new TimeSlice();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (slice.over) return slice.rest().then(() => runInSlices(steps, slice));
  }
}

/** Runs all steps of a generator synchronously. */
export function runAtOnce<T>(steps: Iterator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
