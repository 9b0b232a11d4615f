import type { Clock } from '../base/clock.js';

/** Work that must end by a certain time. */
export abstract class Deadline {
  /** Its neighbours in the list that holds it. */
  earlier: Deadline | undefined;
  later: Deadline | undefined;
  /** The list that holds it; undefined if none does. */
  list: DeadlineList | undefined;
  /** When it expires. */
  expiresAt = Infinity;

  /** Called once if the time passes first. */
  abstract expire(): void;
}

/**
 * Deadlines of loads. Most loads end long before theirs, so a timer for each would be wasted: the deadlines
 * of one duration form a list in order of their start, with one timer for the first.
 */
export class Deadlines {
  readonly #lists = new Map<number, DeadlineList>();

  constructor(private readonly clock: Clock) {}

  /** Expires the deadline `ms` after `now`, unless it is removed from its list before; never for `Infinity`. */
  start(deadline: Deadline, ms: number, now: number): void {
    if (ms === Infinity) return;
    deadline.expiresAt = now + ms;
    let list = this.#lists.get(ms);
    if (list === undefined) {
      list = new DeadlineList(this.clock, () => this.#lists.delete(ms));
      this.#lists.set(ms, list);
    }
    list.push(deadline);
  }
}

/** Deadlines of one duration, the earliest first. */
class DeadlineList {
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #armed = false;

  constructor(
    private readonly clock: Clock,
    private readonly onIdle: () => void,
  ) {}

  push(deadline: Deadline): void {
    deadline.list = this;
    deadline.earlier = this.#last;
    if (this.#last === undefined) this.#first = deadline;
    else this.#last.later = deadline;
    this.#last = deadline;
    if (!this.#armed) this.#arm(deadline);
  }

  remove(deadline: Deadline): void {
    const { earlier, later } = deadline;
    if (earlier === undefined) this.#first = later;
    else earlier.later = later;
    if (later === undefined) this.#last = earlier;
    else later.earlier = earlier;
    deadline.earlier = deadline.later = deadline.list = undefined;
  }

  #arm(next: Deadline): void {
    this.#armed = true;
    this.clock.after(Math.max(0, next.expiresAt - this.clock.now()), () => this.#fire());
  }

  #fire(): void {
    this.#armed = false;
    const now = this.clock.now();
    for (let next = this.#first; next !== undefined && next.expiresAt <= now; next = this.#first) {
      this.remove(next);
      next.expire();
    }
    if (this.#first === undefined) this.onIdle();
    else if (!this.#armed) this.#arm(this.#first);
  }
}
