import {
  type CacheObserver,
  LayerOperation,
  LayerResult,
  MissReason,
  Operation,
  Outcome,
  Result,
  type Series,
} from '../../lib/cache/base/observer.js';

const nameOf = (names: Record<string, number>, value: number) =>
  Object.entries(names).find(([, other]) => other === value)![0];

/** Records each event as one readable line. */
export class RecordingObserver implements CacheObserver {
  readonly lines: string[] = [];
  readonly layerCalls: string[] = [];
  readonly invalidations: string[] = [];
  running = 0;
  names: string[] = [];

  attach(layers: readonly { name: string }[]): void {
    this.names = layers.map(({ name }) => name);
  }
  series(pattern: string, endpoint?: string): Series {
    return { pattern, endpoint };
  }
  seriesOf(key: string): Series {
    return { pattern: key, endpoint: undefined };
  }
  hit({ pattern }: Series, layer: number): void {
    this.lines.push(`${pattern} hit ${this.names[layer]}`);
  }
  access(
    { pattern }: Series,
    outcome: Outcome,
    layer: number,
    responseMs: number,
    totalMs: number,
    reason: MissReason,
  ): void {
    const from = layer === -1 ? '' : ` ${this.names[layer]}`;
    const why = reason === MissReason.none ? '' : ` (${nameOf(MissReason, reason)})`;
    this.lines.push(`${pattern} ${nameOf(Outcome, outcome)}${from}${why}`);
    this.times.push([responseMs, totalMs]);
  }
  readonly times: [responseMs: number, totalMs: number][] = [];
  bypass({ pattern }: Series): void {
    this.lines.push(`${pattern} bypass`);
  }
  load({ pattern }: Series, operation: Operation, result: Result): void {
    this.lines.push(`${pattern} ${nameOf(Operation, operation)} ${nameOf(Result, result)}`);
  }
  inFlight(change: 1 | -1): void {
    this.running += change;
  }
  waitTimeout({ pattern }: Series): void {
    this.lines.push(`${pattern} wait timeout`);
  }
  operation({ pattern }: Series, operation: Operation, result: Result): void {
    this.lines.push(`${pattern} ${nameOf(Operation, operation)} ${nameOf(Result, result)}`);
  }
  invalidation(result: Result, _ms: number, removed: number): void {
    this.invalidations.push(`${nameOf(Result, result)} ${removed}`);
  }
  sizeRejected({ pattern }: Series): void {
    this.lines.push(`${pattern} too large`);
  }
  layer(layer: number, operation: LayerOperation, result: LayerResult, _ms: number, keys: number): void {
    this.layerCalls.push(
      `${this.names[layer]} ${nameOf(LayerOperation, operation)} ${nameOf(LayerResult, result)} ${keys}`,
    );
  }
  evicted(layer: number, reason: number, count: number): void {
    this.lines.push(`${this.names[layer]} evicted ${count} ${['capacity', 'expired', 'size'][reason]}`);
  }
  circuit(): void {}
  queueDepth(): void {}
  writeDropped(): void {}
  asyncWrite(): void {}

  /** Returns the lines since the last call and removes them. */
  take(): string[] {
    return this.lines.splice(0);
  }
}
