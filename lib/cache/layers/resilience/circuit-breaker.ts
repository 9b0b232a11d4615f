import type { Clock } from '../../base/clock.js';
import { CircuitState } from '../../base/observer.js';

export interface BreakerSettings {
  readonly windowMs: number;
  readonly threshold: number;
  readonly minimumCalls: number;
  readonly slowCallMs: number;
  readonly halfOpenAfterMs: number;
}

const SLICES = 10;

/**
 * A circuit breaker over a rolling window (Nygard, "Release It!"). While it is open, no call passes. After a pause it sends one probe in
 * the background, without a caller. The result of the probe closes the circuit or opens it again.
 *
 * It is used instead of cockatiel and opossum because these read the wall clock, so that a corrected system time keeps a circuit open. And
 * in cockatiel, callers of a half-open circuit wait for the probe, which a frozen server never answers.
 */
export class CircuitBreaker {
  readonly #settings: BreakerSettings;
  readonly #clock: Clock;
  readonly #probe: () => Promise<void>;
  readonly #onChange: (state: CircuitState) => void;
  readonly #calls = new Uint32Array(SLICES);
  readonly #failures = new Uint32Array(SLICES);
  readonly #sliceMs: number;
  #slice = 0;
  /** The number of failures since the last success, and the time of the first of them. */
  #failuresInARow = 0;
  #failingSince = 0;
  #state: CircuitState = CircuitState.closed;
  #cancelProbe: (() => void) | undefined;
  #stopped = false;

  /** @param probe resolves when the layer is ready again. */
  constructor(
    settings: BreakerSettings,
    clock: Clock,
    probe: () => Promise<void>,
    onChange: (state: CircuitState) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#probe = probe;
    this.#onChange = onChange;
    this.#sliceMs = Math.max(1, settings.windowMs / SLICES);
    this.#slice = Math.floor(clock.now() / this.#sliceMs);
  }

  get state(): CircuitState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state === CircuitState.closed;
  }

  /** Records one successful call, or several that were sent together. Slow calls count as failed. */
  succeeded(slow: boolean, calls = 1): void {
    this.#count(slow, calls);
  }

  failed(calls = 1): void {
    this.#count(true, calls);
  }

  /**
   * Records that a probe of the closed circuit got no answer, and no other call got one since a call timed out. A cache with few misses
   * makes too few calls to open the circuit, so the circuit opens when this has lasted long enough.
   */
  unanswered(since: number): void {
    if (this.closed && this.#clock.now() - since >= this.#sliceMs) this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelProbe?.();
  }

  #count(failure: boolean, count: number): void {
    // Calls that were running when the circuit opened say nothing about the present.
    if (this.#state !== CircuitState.closed) return;
    this.#rotate();
    const index = this.#slice % SLICES;
    this.#calls[index]! += count;
    if (!failure) {
      this.#failuresInARow = 0;
      return;
    }
    this.#failures[index]! += count;
    const calls = sum(this.#calls);
    const { minimumCalls, threshold } = this.#settings;
    if (calls >= minimumCalls && sum(this.#failures) >= calls * threshold) this.#open();
    else if (this.#nothingButFailures(count)) this.#open();
  }

  /**
   * Returns true if all calls failed for a tenth of the window. A hanging layer gets few calls, so earlier successes would otherwise
   * outweigh the failures.
   */
  #nothingButFailures(count: number): boolean {
    const now = this.#clock.now();
    const { minimumCalls, windowMs } = this.#settings;
    if (this.#failuresInARow === 0 || now - this.#failingSince > windowMs) {
      this.#failingSince = now;
      this.#failuresInARow = 0;
    }
    this.#failuresInARow += count;
    return this.#failuresInARow >= minimumCalls && now - this.#failingSince >= this.#sliceMs;
  }

  #rotate(): void {
    const slice = Math.floor(this.#clock.now() / this.#sliceMs);
    for (let cleared = 0; this.#slice < slice; cleared++) {
      if (cleared >= SLICES) this.#slice = slice;
      else this.#slice++;
      this.#calls[this.#slice % SLICES] = 0;
      this.#failures[this.#slice % SLICES] = 0;
    }
  }

  #open(): void {
    this.#change(CircuitState.open);
    if (this.#stopped) return;
    this.#cancelProbe = this.#clock.after(this.#settings.halfOpenAfterMs, () => this.#halfOpen());
  }

  #halfOpen(): void {
    this.#change(CircuitState.halfOpen);
    this.#probe().then(
      () => this.#close(),
      () => this.#open(),
    );
  }

  #close(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
    this.#failuresInARow = 0;
    this.#change(CircuitState.closed);
  }

  #change(state: CircuitState): void {
    this.#state = state;
    this.#onChange(state);
  }
}

function sum(slices: Uint32Array): number {
  let total = 0;
  for (const count of slices) total += count;
  return total;
}
