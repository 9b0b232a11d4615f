import type { Clock } from '../cache/base/clock.js';
import { type ProcessFacts, readFacts } from '../instances/process-facts.js';
import { recent, type StartStore } from '../instances/starts.js';
import type { MetricsStore } from './metrics-store.js';

/** Marks the end of a file that contains starts after the metrics; the length of their list precedes the mark. */
const MARK = Buffer.from('NCOstart');
const TAIL = 4 + MARK.length;
/** Longer lists are not read, bytes. */
const MAX_LENGTH = 100_000;

/** Stores the starts of one application after its metrics, in the same file. A new version ignores the metrics but reads the starts. */
export class StartsBehindMetrics implements MetricsStore, StartStore {
  readonly description: string;
  #starts: readonly ProcessFacts[] = [];

  constructor(
    private readonly store: MetricsStore,
    private readonly clock: Clock,
  ) {
    this.description = store.description;
  }

  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.store.read();
    if (bytes === undefined) return undefined;
    const { metrics, lines } = split(bytes);
    const now = this.clock.now();
    const earlier = lines.flatMap((line) => readFacts(Buffer.from(line), now) ?? []);
    this.#starts = recent([...earlier, ...this.#starts], now);
    return metrics;
  }

  write(metrics: Uint8Array): Promise<void> {
    const lines = Buffer.from(
      recent(this.#starts, this.clock.now())
        .map((start) => JSON.stringify(start))
        .join('\n'),
    );
    const length = Buffer.alloc(4);
    length.writeUInt32BE(lines.length);
    return this.store.write(Buffer.concat([metrics, lines, length, MARK]));
  }

  async isOwn(): Promise<boolean> {
    return (await this.store.isOwn?.()) ?? true;
  }

  async addStart(start: ProcessFacts): Promise<void> {
    this.#starts = recent([...this.#starts, start], this.clock.now());
  }

  async readStarts(): Promise<readonly ProcessFacts[]> {
    return this.#starts;
  }
}

function split(bytes: Uint8Array): { readonly metrics: Uint8Array; readonly lines: readonly string[] } {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = all.length - TAIL;
  if (end < 0 || !all.subarray(end + 4).equals(MARK)) return { metrics: bytes, lines: [] };
  const length = all.readUInt32BE(end);
  if (length > Math.min(end, MAX_LENGTH)) return { metrics: bytes, lines: [] };
  return { metrics: all.subarray(0, end - length), lines: all.toString('utf8', end - length, end).split('\n') };
}
