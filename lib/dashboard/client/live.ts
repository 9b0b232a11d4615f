import { batch, signal } from '@preact/signals';
import { read, Refusal, request, token } from './api';
import type { Realtime, WarmingProgress } from './wire';

/*
 * The event stream, read with fetch: EventSource cannot send a bearer token. It pauses while the page is hidden and resumes with what it
 * missed. Where there is no room for another client, the page asks every few seconds instead.
 */

export type Connection = 'connecting' | 'live' | 'polling' | 'paused' | 'lost' | 'forbidden';

export interface LiveEvent {
  readonly id: string;
  readonly at: number;
  /** When it happened, by the clock of the server. */
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
/** Ticks come every second: after so long without anything the connection is dead. */
const SILENCE_MS = 12_000;
const POLL_MS = 5_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;

export const connection = signal<Connection>('connecting');
/** When the connection was lost; undefined while there is one. */
export const lostAt = signal<number | undefined>(undefined);
export const realtime = signal<Realtime | undefined>(undefined);
export const events = signal<readonly LiveEvent[]>([]);
/** Strategies of warming runs, latest first. */
export const warming = signal<readonly WarmingProgress[]>([]);

let lastId = '';
let abort: AbortController | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let retryMs = FIRST_RETRY_MS;

/** Connects now, and again whenever the page is seen or the token changes. */
export function listen(): void {
  document.addEventListener('visibilitychange', () => (document.hidden ? pause() : connect()));
  addEventListener('online', () => connect());
  if (document.hidden) connection.value = 'paused';
  else connect();
}

export function connect(): void {
  stop();
  if (connection.value !== 'lost' && connection.value !== 'forbidden') connection.value = 'connecting';
  abort = new AbortController();
  void stream(abort);
}

function pause(): void {
  stop();
  connection.value = 'paused';
}

function stop(): void {
  clearTimeout(timer);
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
    retryMs = FIRST_RETRY_MS;
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

function failed(error: unknown): void {
  const refusal = error instanceof Refusal ? error : undefined;
  if (refusal?.code === 'TOO_MANY_CLIENTS') return void poll();
  lostAt.value ??= Date.now();
  connection.value = refusal?.forbidden ? 'forbidden' : 'lost';
  if (refusal?.forbidden && token.value === '') return;
  timer = setTimeout(connect, retryMs);
  retryMs = Math.min(LAST_RETRY_MS, retryMs * 2);
}

async function poll(): Promise<void> {
  try {
    realtime.value = (await read<Realtime>('realtime')).data;
    found('polling');
    timer = setTimeout(() => void poll(), POLL_MS);
  } catch (error) {
    failed(error);
  }
}

function found(state: Connection): void {
  connection.value = state;
  lostAt.value = undefined;
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

function keep(event: LiveEvent): void {
  events.value = [event, ...events.value].slice(0, KEPT_EVENTS);
  if (event.type !== 'warming') return;
  const progress = event.data as WarmingProgress;
  const others = warming.value.filter(
    ({ run_id, report }) => run_id !== progress.run_id || report.strategy !== progress.report.strategy,
  );
  warming.value = [progress, ...others].slice(0, KEPT_RUNS);
}
