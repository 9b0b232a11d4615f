/** How long a piece of work took, and the longest time for which nothing else could run meanwhile; milliseconds. */
export interface LoopUse<T> {
  readonly result: T;
  readonly totalMs: number;
  readonly longestPauseMs: number;
}

/** Watches the event loop while `work` runs. */
export async function loopUse<T>(work: () => T | Promise<T>): Promise<LoopUse<T>> {
  let longestPauseMs = 0;
  let last = performance.now();
  let watching = true;
  const look = (): void => {
    const now = performance.now();
    longestPauseMs = Math.max(longestPauseMs, now - last);
    last = now;
    if (watching) setImmediate(look);
  };
  await new Promise<void>((resolve) => setImmediate(resolve));
  last = performance.now();
  setImmediate(look);
  const startedAt = performance.now();
  const result = await work();
  const totalMs = performance.now() - startedAt;
  await new Promise<void>((resolve) => setImmediate(resolve));
  watching = false;
  return { result, totalMs, longestPauseMs };
}

/** The calmest of several runs: what a busy machine takes away is nobody's fault. */
export async function calmest<T>(runs: number, work: () => T | Promise<T>): Promise<LoopUse<T>> {
  let best: LoopUse<T> | undefined;
  for (let run = 0; run < runs; run++) {
    const use = await loopUse(work);
    if (best === undefined || use.longestPauseMs < best.longestPauseMs) best = use;
  }
  return best!;
}
