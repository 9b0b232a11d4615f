import { batch, signal } from '@preact/signals';
import { read, Refusal, request, token } from './api';
import type { Realtime, WarmingProgress } from './wire';

/*
 * Reads the event stream with fetch, because EventSource cannot send a bearer token. The stream pauses while the page is hidden
 * and resumes with the events that it missed. If the server has no room for another client, or a proxy blocks the stream, the
 * page requests the figures every few seconds instead and tries the stream again at times.
 */

export type Connection = 'connecting' | 'live' | 'polling' | 'paused' | 'lost' | 'forbidden';

export interface LiveEvent {
  readonly id: string;
  /** The time of the event, by the clock of the server. */
  readonly at: number;
  readonly type: 'alert' | 'warming' | 'invalidation' | 'policy';
  readonly data: unknown;
}

export interface Invalidation {
  readonly cache: string;
  readonly patterns: readonly string[];
  readonly keys: number;
  readonly globs: number;
  readonly tags: number;
  readonly all: boolean;
  readonly removed: number | null;
}

const KEPT_EVENTS = 300;
const KEPT_RUNS = 30;
/** Ticks come every second. After this time without data the connection is lost, milliseconds. */
const SILENCE_MS = 12_000;
const POLL_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

export const connection = signal<Connection>('connecting');
/** When the connection was lost; undefined while it works. */
export const lostAt = signal<number | undefined>(undefined);
export const realtime = signal<Realtime | undefined>(undefined);
export const events = signal<readonly LiveEvent[]>([]);
/** The progress of warming strategies, the latest first. */
export const warming = signal<readonly WarmingProgress[]>([]);

let lastId = '';
let abort: AbortController | undefined;
/** The timers of the next attempt to connect, and of the next request while there is no stream. */
let [retry, polling]: (ReturnType<typeof setTimeout> | undefined)[] = [];
let retryMs = FIRST_RETRY_MS;

/** Connects now, and again whenever the page becomes visible or the token changes. */
export function listen(): void {
  document.addEventListener('visibilitychange', () => (document.hidden ? pause() : connect()));
  addEventListener('online', () => connect());
  if (document.hidden) connection.value = 'paused';
  else connect();
}

export function connect(): void {
  stop();
  if (connection.value === 'paused') connection.value = 'connecting';
  open();
}

function open(): void {
  abort?.abort();
  abort = new AbortController();
  void stream(abort);
}

function pause(): void {
  stop();
  connection.value = 'paused';
}

function stop(): void {
  clearTimeout(retry);
  clearTimeout(polling);
  retry = undefined;
  abort?.abort();
}

async function stream(own: AbortController): Promise<void> {
  let silence: ReturnType<typeof setTimeout> | undefined;
  const heard = () => {
    clearTimeout(silence);
    silence = setTimeout(() => own.abort(SILENCE_MS), SILENCE_MS);
  };
  try {
    heard();
    const headers: HeadersInit = lastId === '' ? {} : { 'Last-Event-ID': lastId };
    const response = await request('events', {}, { headers, signal: own.signal });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) throw new Refusal(0, '', 'The event stream ended.');
      heard();
      const frames = (text + value).split('\n\n');
      text = frames.pop()!;
      batch(() => frames.forEach(take));
    }
  } catch (error) {
    if (own === abort && (!own.signal.aborted || own.signal.reason === SILENCE_MS)) failed(error);
  } finally {
    clearTimeout(silence);
  }
}

/** Without a stream the other routes may still answer. The application counts as lost only if no route answers. */
function failed(error: unknown): void {
  if (isForbidden(error)) return lose('forbidden');
  if (connection.value === 'live') connection.value = 'connecting';
  void poll();
}

async function poll(): Promise<void> {
  const isOver = () => connection.value === 'live' || connection.value === 'paused';
  try {
    const { data } = await read<Realtime>('realtime');
    if (isOver()) return;
    realtime.value = data;
    found('polling');
    clearTimeout(polling);
    polling = setTimeout(() => void poll(), POLL_MS);
    retry ??= later();
  } catch (error) {
    if (!isOver()) lose(isForbidden(error) ? 'forbidden' : 'lost');
  }
}

const isForbidden = (error: unknown) => error instanceof Refusal && error.forbidden;

function lose(state: 'lost' | 'forbidden'): void {
  lostAt.value ??= Date.now();
  connection.value = state;
  clearTimeout(polling);
  if (state === 'lost' || token.value !== '') retry ??= later();
}

/** Schedules the next attempt; the delay grows with each one. */
function later(): ReturnType<typeof setTimeout> {
  const pauseMs = retryMs;
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
  return setTimeout(() => {
    retry = undefined;
    open();
  }, pauseMs);
}

function found(state: 'live' | 'polling'): void {
  connection.value = state;
  lostAt.value = undefined;
  if (state === 'polling') return;
  clearTimeout(polling);
  retryMs = FIRST_RETRY_MS;
}

function take(frame: string): void {
  let [id, type, data] = ['', '', ''];
  for (const line of frame.split('\n')) {
    if (line.startsWith('id: ')) id = line.slice(4);
    else if (line.startsWith('event: ')) type = line.slice(7);
    else if (line.startsWith('data: ')) data += line.slice(6);
  }
  if (type === '') return;
  const content = JSON.parse(data) as unknown;
  if (id !== '') lastId = id;
  if (type === 'tick') {
    realtime.value = content as Realtime;
    found('live');
  } else if (type === 'alert' || type === 'warming' || type === 'invalidation' || type === 'policy') {
    keep({ id, at: Date.parse((content as { readonly timestamp: string }).timestamp), type, data: content });
  }
}

/** Stores an event once. Another process sends all its stored events again. */
function keep(event: LiveEvent): void {
  if (events.value.some(({ id }) => id === event.id)) return;
  events.value = [event, ...events.value].slice(0, KEPT_EVENTS);
  if (event.type !== 'warming') return;
  const progress = event.data as WarmingProgress;
  const others = warming.value.filter(
    ({ run_id, report }) => run_id !== progress.run_id || report.strategy !== progress.report.strategy,
  );
  warming.value = [progress, ...others].slice(0, KEPT_RUNS);
}
