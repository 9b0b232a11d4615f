import { computed, type ReadonlySignal, signal, type Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { type Parameters, read, Refusal, token } from './api';
import { connection, events } from './live';

/** What a route answered last, and whether that still holds. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly instances: number;
  readonly refusal: Refusal | undefined;
  /** When `data` was answered; 0 before. */
  readonly at: number;
}

interface Entry {
  readonly path: string;
  readonly parameters: Parameters;
  everyMs: number;
  readonly value: Signal<Resource<unknown>>;
  users: number;
  dueAt: number;
  asking: boolean;
}

const NOTHING: Resource<never> = { data: undefined, instances: 1, refusal: undefined, at: 0 };
/** Answers that nothing on the page shows are kept for going back. */
const KEPT_UNUSED = 40;
const TICK_MS = 500;
const ABSENT_MS = 60_000;

const entries = new Map<string, Entry>();

/** Asks a route while the component is there. Everything on the page that asks the same shares one answer. */
export function useResource<T>(path: string, parameters: Parameters, everyMs: number): Resource<T> {
  const key = `${path}?${JSON.stringify(parameters)}`;
  const before = useRef<{ path: string; value: Resource<T> }>({ path, value: NOTHING });
  const entry = entryOf(key, path, parameters, everyMs);
  useEffect(() => {
    entry.users++;
    if (entry.dueAt <= Date.now()) void ask(entry);
    return () => {
      entry.users--;
    };
  }, [entry]);
  const value = entry.value.value as Resource<T>;
  if (value.data !== undefined || before.current.path !== path) before.current = { path, value };
  // What was shown stays until the new answer is there.
  return value.data === undefined && value.refusal === undefined ? before.current.value : value;
}

/** Asks again at once for everything that is shown. */
export function refresh(): void {
  for (const entry of entries.values()) {
    entry.dueAt = 0;
    if (entry.users > 0) void ask(entry);
  }
}

/** Whether guards refuse what the page asks for. */
export const forbidden: ReadonlySignal<boolean> = computed(() => connection.value === 'forbidden');

function entryOf(key: string, path: string, parameters: Parameters, everyMs: number): Entry {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = { path, parameters, everyMs, value: signal(NOTHING), users: 0, dueAt: 0, asking: false };
    entries.set(key, entry);
    const unused = [...entries].filter(([, { users }]) => users === 0);
    for (const [old] of unused.slice(0, Math.max(0, unused.length - KEPT_UNUSED))) entries.delete(old);
  }
  entry.everyMs = everyMs;
  return entry;
}

async function ask(entry: Entry): Promise<void> {
  if (entry.asking || document.hidden) return;
  entry.asking = true;
  try {
    const { data, instances } = await read<unknown>(entry.path, entry.parameters);
    entry.value.value = { data, instances, refusal: undefined, at: Date.now() };
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal(0, '', 'The answer cannot be read.');
    entry.value.value = { ...entry.value.value, refusal };
  } finally {
    entry.asking = false;
    // A route that is not there may come with the next deploy.
    const absent = entry.value.value.refusal?.absent === true;
    entry.dueAt = Date.now() + (absent ? ABSENT_MS : entry.everyMs);
  }
}

setInterval(() => {
  if (document.hidden || connection.value === 'lost') return;
  const now = Date.now();
  for (const entry of entries.values()) if (entry.users > 0 && entry.dueAt <= now) void ask(entry);
}, TICK_MS);

document.addEventListener('visibilitychange', () => document.hidden || refresh());
let seen = connection.value;
connection.subscribe((now) => {
  if (seen === 'lost' && now === 'live') refresh();
  seen = now;
});
let latest = events.value[0];
events.subscribe(([now]) => {
  // An alert or another policy changes what is shown above it.
  if (now !== latest && (now?.type === 'alert' || now?.type === 'policy')) refresh();
  latest = now;
});
let known = token.value;
token.subscribe((now) => {
  if (now !== known) refresh();
  known = now;
});
