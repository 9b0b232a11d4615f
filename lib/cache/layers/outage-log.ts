import type { CacheLog } from '../base/cache-log.js';
import type { Clock } from '../base/clock.js';
import type { LogCode } from '../base/log-codes.js';
import type { CachesByServer } from './caches-by-server.js';

/*
 * The log of one outage is one sequence: first its beginnings (LAYER_LOST, LAYER_FAILED, CIRCUIT_OPEN), once each as they come, then its
 * ends (LAYER_RESTORED, CIRCUIT_CLOSED), once each in this order. Messages that caches cannot send or receive form separate sequences
 * (BUS_NOT_SENT, BUS_SENT; BUS_UNREACHABLE, BUS_RESTORED), because a layer can serve entries while its user lacks the right to publish.
 *
 * Several caches and connections report the same outage at different times. One may serve again while another still finds its connection
 * closed, and a circuit that a probe closed may open again at the next calls. So an outage ends only when everything that was reported has
 * ended, and nothing of it has begun again for a while. What begins again before that belongs to the same outage.
 */

type Sequence = 'layer' | 'sending' | 'receiving';

/** The codes that begin an outage. Each has the code of its end and its sequence. */
const BEGINNINGS: ReadonlyMap<LogCode, { readonly end: LogCode; readonly sequence: Sequence }> = new Map([
  ['LAYER_LOST', { end: 'LAYER_RESTORED', sequence: 'layer' }],
  ['LAYER_FAILED', { end: 'LAYER_RESTORED', sequence: 'layer' }],
  ['CIRCUIT_OPEN', { end: 'CIRCUIT_CLOSED', sequence: 'layer' }],
  ['BUS_NOT_SENT', { end: 'BUS_SENT', sequence: 'sending' }],
  ['BUS_UNREACHABLE', { end: 'BUS_RESTORED', sequence: 'receiving' }],
]);
/** The codes of ends, in the order in which they are logged, each with its sequence. */
const ENDS: ReadonlyMap<LogCode, Sequence> = new Map(
  [...BEGINNINGS.values()].map(({ end, sequence }) => [end, sequence]),
);
/**
 * The end of an outage is logged if the outage does not begin again within this time, milliseconds. A circuit takes a second of failures to
 * open again.
 */
const SETTLED_MS = 2_000;
/**
 * Matches a refusal of the server in a message, such as `(WRONGPASS)`. Codes of the system, such as `(ECONNREFUSED)`, mean that there is no
 * server.
 */
const REFUSAL = /\((?!E(?!RR_)[A-Z_]+\))([A-Z][A-Z_]+)\)/;

/** A layer of a cache that has reported an outage. */
interface Reporter {
  readonly cache: string;
  readonly layer: string;
  /** The codes that it has reported and that have not ended. */
  readonly lasting: Set<LogCode>;
}

/** A beginning or an end that one layer of a cache reports. */
interface Report {
  readonly cache: string;
  readonly layer: string;
  readonly sequence: Sequence;
  readonly code: LogCode;
  readonly message: string;
  /** Writes the log line. */
  readonly write: () => void;
}

/**
 * An outage of one server with one cause, or of the messages through it. The cause is a refusal of the server, or that it cannot be
 * reached.
 */
class Outage {
  readonly reporters: Reporter[] = [];
  /** The beginnings that were logged, each with its reporter. */
  readonly #begun = new Map<LogCode, Reporter>();
  readonly #ends = new Map<LogCode, () => void>();
  #cancelEnd: (() => void) | undefined;

  constructor(
    readonly sequence: Sequence,
    readonly cause: string,
  ) {}

  reporterOf({ cache, layer }: Report): Reporter | undefined {
    return this.reporters.find((one) => one.cache === cache && one.layer === layer);
  }

  began(report: Report): void {
    this.#cancelEnd?.();
    const { cache, layer, code, write } = report;
    let reporter = this.reporterOf(report);
    if (reporter === undefined) this.reporters.push((reporter = { cache, layer, lasting: new Set() }));
    reporter.lasting.add(code);
    if (this.#begun.has(code)) return;
    this.#begun.set(code, reporter);
    write();
  }

  /** @param over called when the outage has ended for good, before its ends are logged. */
  ended(report: Report, clock: Clock, over: () => void): void {
    const reporter = this.reporterOf(report);
    if (reporter === undefined) return;
    const ending = [...reporter.lasting].filter((begin) => BEGINNINGS.get(begin)!.end === report.code);
    if (ending.length === 0) return;
    for (const begin of ending) reporter.lasting.delete(begin);
    // Log the line of the layer that the line of the beginning named.
    const isNamed = ending.some((begin) => this.#begun.get(begin) === reporter);
    if (isNamed || !this.#ends.has(report.code)) this.#ends.set(report.code, report.write);
    if (this.reporters.some(({ lasting }) => lasting.size > 0)) return;
    this.#cancelEnd = clock.after(SETTLED_MS, () => {
      over();
      for (const end of ENDS.keys()) this.#ends.get(end)?.();
    });
  }
}

/**
 * Logs the outages of layers. If several caches use the server of a layer, its lines name all of them, and a line is not repeated for
 * another cache with the same cause.
 */
export class OutageLog {
  readonly #outages = new Set<Outage>();

  constructor(
    private readonly servers: CachesByServer,
    private readonly clock: Clock,
  ) {}

  /** Returns the log of a cache. @param log never throws. */
  of(cache: string, log: CacheLog): CacheLog {
    return (level, code, message, details) => {
      const sequence = BEGINNINGS.get(code)?.sequence ?? ENDS.get(code);
      const named = sequence === 'layer' ? (details?.['layer'] ?? details?.['subject']) : undefined;
      const layer = sequence === undefined || sequence === 'layer' ? named : this.servers.messengerOf(cache);
      if (sequence === undefined || typeof layer !== 'string') return log(level, code, message, details);
      const write = () => {
        const caches = this.servers.cachesOf(this.servers.serverOf(cache, layer));
        log(level, code, message, caches.length < 2 ? details : { ...details, caches: caches.join(', ') });
      };
      this.#take({ cache, layer, sequence, code, message, write });
    };
  }

  #take(report: Report): void {
    const { sequence } = report;
    const known = [...this.#outages].filter((one) => one.sequence === sequence && this.#concerns(one, report));
    if (ENDS.has(report.code)) {
      for (const outage of known) outage.ended(report, this.clock, () => this.#outages.delete(outage));
      return;
    }
    const cause = REFUSAL.exec(report.message)?.[1] ?? '';
    let outage =
      // A circuit opens for the same reason as the failures of its layer.
      (report.code === 'CIRCUIT_OPEN' ? known.find((one) => one.reporterOf(report) !== undefined) : undefined) ??
      known.find((one) => one.cause === cause);
    if (outage === undefined) this.#outages.add((outage = new Outage(sequence, cause)));
    outage.began(report);
  }

  /** Returns true if an outage concerns the server of the reporting layer. A layer may come to know its server during the outage. */
  #concerns(outage: Outage, report: Report): boolean {
    if (outage.reporterOf(report) !== undefined) return true;
    const server = this.servers.serverOf(report.cache, report.layer);
    return (
      server !== undefined && outage.reporters.some((one) => this.servers.serverOf(one.cache, one.layer) === server)
    );
  }
}
