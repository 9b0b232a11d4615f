import { batch, computed, effect, type ReadonlySignal, signal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { addressOf, type Answers, type Parameters, readTogether, Refusal, token } from './api';
import { connection, events } from './live';

/** The last answer of a route, and the refusal of the last request if it was refused. */
export interface Resource<T> {
  /** The route that answered, with its query; empty before the first answer. */
  readonly address: string;
  readonly data: T | undefined;
  readonly instances: number;
  readonly refusal: Refusal | undefined;
  /** When `data` was answered; 0 before the first answer. */
  readonly at: number;
}

interface Entry {
  /** The route, with its query. */
  readonly address: string;
  everyMs: number;
  readonly value: Signal<Resource<unknown>>;
  users: number;
  dueAt: number;
  asking: boolean;
}

const NOTHING: Resource<never> = { address: '', data: undefined, instances: 1, refusal: undefined, at: 0 };
/** How many answers are kept after the page stops showing them, in case the user goes back. */
const KEPT_UNUSED = 40;
const TICK_MS = 500;
const ABSENT_MS = 60_000;
/** The longest wait before a request without an answer is repeated. */
const UNANSWERED_MS = 5_000;
/** Routes are due at multiples of their interval since this time, so that one request can ask for several. */
const OPENED_AT = Date.now();
/** The most routes in one request, and the most characters of its query: servers accept 16 KB of headers. */
const MOST_TOGETHER = 24;
const LONGEST_QUERY = 6_000;

const entries = new Map<string, Entry>();

/** Requests a route at an interval while the component is shown. Components with the same route share one answer. */
export function useResource<T>(path: string, parameters: Parameters, everyMs: number): Resource<T> {
  const address = addressOf(path, parameters);
  const before = useRef<{ path: string; value: Resource<T> }>({ path, value: NOTHING });
  const entry = entryOf(address, everyMs);
  useEffect(() => {
    entry.users++;
    if (entry.dueAt <= Date.now()) askSoon();
    return () => {
      entry.users--;
    };
  }, [entry]);
  const value = entry.value.value as Resource<T>;
  if (value.data !== undefined || before.current.path !== path) before.current = { path, value };
  // Show the previous answer until the new one arrives.
  return value.data === undefined && value.refusal === undefined ? before.current.value : value;
}

/** Calls back when every route that is shown now has been answered or refused. @returns a function that cancels it. */
export function whenAnswered(callback: () => void): () => void {
  const waiting = [...entries.values()].filter(({ users, value }) => users > 0 && !isAnswered(value.peek()));
  return effect(() => {
    if (waiting.every(({ value }) => isAnswered(value.value))) callback();
  });
}

const isAnswered = ({ at, refusal }: Resource<unknown>) => at > 0 || refusal !== undefined;

/** Requests every route that is shown again, at once. */
export function refresh(): void {
  refreshedAt = Date.now();
  for (const entry of entries.values()) entry.dueAt = 0;
  askSoon(true);
}

/** True if guards refuse the page's requests. */
export const forbidden: ReadonlySignal<boolean> = computed(() => connection.value === 'forbidden');

function entryOf(address: string, everyMs: number): Entry {
  let entry = entries.get(address);
  if (entry === undefined) {
    entry = { address, everyMs, value: signal(NOTHING), users: 0, dueAt: 0, asking: false };
    entries.set(address, entry);
    const unused = [...entries].filter(([, { users }]) => users === 0);
    for (const [old] of unused.slice(0, Math.max(0, unused.length - KEPT_UNUSED))) entries.delete(old);
  }
  entry.everyMs = everyMs;
  return entry;
}

let refreshedAt = 0;
let planned = false;
let wantsFresh = false;

/** Sends the due requests after the current rendering, when all components have registered their routes. */
function askSoon(fresh = false): void {
  wantsFresh ||= fresh;
  if (planned) return;
  planned = true;
  queueMicrotask(() => {
    planned = false;
    askForDue(wantsFresh);
    wantsFresh = false;
  });
}

/** Sends one request for all routes that are due. */
function askForDue(fresh: boolean): void {
  if (document.hidden || connection.value === 'lost') return;
  const now = Date.now();
  const shown = [...entries.values()].filter(({ users, asking }) => users > 0 && !asking);
  if (!shown.some(({ dueAt }) => dueAt <= now)) return;
  void ask(together(shown.filter(({ dueAt }) => dueAt <= now)), fresh);
}

/** Returns as many of the due routes as fit into one request; the others stay due for the next tick. */
function together(due: readonly Entry[]): readonly Entry[] {
  let length = 0;
  const fitting = due.findIndex(({ address }, at) => {
    length += encodeURIComponent(address).length;
    return at === MOST_TOGETHER || (at > 0 && length > LONGEST_QUERY);
  });
  return fitting < 0 ? due : due.slice(0, fitting);
}

async function ask(members: readonly Entry[], fresh: boolean): Promise<void> {
  const begunAt = Date.now();
  for (const entry of members) entry.asking = true;
  const addresses = members.map(({ address }) => address);
  let refused: Refusal | undefined;
  const answered = await readTogether(addresses, fresh).catch((error: unknown) => {
    refused = error instanceof Refusal ? error : new Refusal(0, '', 'The answer cannot be read.');
    return undefined;
  });
  batch(() => {
    const at = Date.now();
    for (const entry of members) {
      const { address, value, everyMs } = entry;
      const refusal = refused ?? refusalOf(answered!.refusals[address]);
      value.value =
        refusal === undefined
          ? { address, data: answered!.answers[address], instances: answered!.instances[address] ?? 1, refusal, at }
          : { ...value.value, refusal };
      entry.asking = false;
      entry.dueAt = begunAt < refreshedAt ? 0 : turnAfter(at, pauseAfter(refusal, everyMs * (answered?.pace ?? 1)));
    }
  });
}

function pauseAfter(refusal: Refusal | undefined, everyMs: number): number {
  if (refusal?.status === 0) return Math.min(everyMs, UNANSWERED_MS);
  // A missing route may exist after the next deploy.
  return refusal?.absent === true ? ABSENT_MS : everyMs;
}

/** Returns the multiple of the interval that is closest to one interval after a time. */
function turnAfter(ms: number, everyMs: number): number {
  return OPENED_AT + Math.round((ms - OPENED_AT) / everyMs + 1) * everyMs;
}

function refusalOf(refusal: Answers['refusals'][string] | undefined): Refusal | undefined {
  return refusal && new Refusal(refusal.statusCode, refusal.code, refusal.message);
}

setInterval(() => askForDue(false), TICK_MS);

document.addEventListener('visibilitychange', () => document.hidden || refresh());
let seen = connection.value;
connection.subscribe((now) => {
  if (seen === 'lost' && (now === 'live' || now === 'polling')) refresh();
  seen = now;
});
let latest = events.value[0];
events.subscribe(([now]) => {
  // An alert or a changed policy changes the figures on the page.
  if (now !== latest && (now?.type === 'alert' || now?.type === 'policy')) refresh();
  latest = now;
});
let known = token.value;
token.subscribe((now) => {
  if (now !== known) refresh();
  known = now;
});
