import { count, percent } from './table.js';
import type { Tally } from './tally.js';

/** Says once a second on a terminal, every five seconds elsewhere, how far the run is. Returns what ends it. */
export function showProgress(tally: Tally, seconds: number): () => void {
  const started = performance.now();
  const terminal = process.stdout.isTTY;
  const line = (): string => {
    const gone = (performance.now() - started) / 1000;
    const rate = Math.round(tally.requests / gone);
    return (
      `${Math.round(gone)} of ${seconds} s · ${count(tally.requests)} requests · ${count(rate)}/s · ` +
      `${percent(tally.fromCache)} from the cache`
    );
  };
  const timer = setInterval(
    () => process.stdout.write(terminal ? `\r\x1b[2K${line()}` : `${line()}\n`),
    terminal ? 1_000 : 5_000,
  );
  return () => {
    clearInterval(timer);
    if (terminal) process.stdout.write('\r\x1b[2K');
  };
}
