/**
 * Waits for `work`, and fails if a timer of `ms` milliseconds that starts at the same time ends first. A slow machine
 * delays both, so this is reliable when a measured time is not.
 */
export async function beforeTimer<T>(ms: number, work: Promise<T> | (() => Promise<T>)): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It has not ended before a timer of ${ms} ms.`)), ms);
  });
  try {
    return await Promise.race([typeof work === 'function' ? work() : work, late]);
  } finally {
    clearTimeout(timer);
  }
}
