import { signal } from '@preact/signals';

/** The routes are in the folder of the page, under any prefix and behind any proxy. */
const BASE = new URL('.', location.href.split('#')[0]);
const TOKEN = 'cache-dashboard-token';
/** Accept answers of this age, so that pages that are open at the same time share one. */
const MAX_AGE = 'max-age=3';
/** A request without an answer after this time has failed, milliseconds. */
const ANSWER_MS = 30_000;
/** The characters that the header of a request may contain. */
const HEADER_TEXT = /^[\x21-\x7e]*$/;

export type Parameters = Readonly<Record<string, string | number | undefined>>;

/** The bearer token that guards require. It is kept only in this tab. */
export const token = signal(sessionStorage.getItem(TOKEN) ?? '');

export function useToken(text: string): void {
  token.value = text.trim();
  if (token.value === '') sessionStorage.removeItem(TOKEN);
  else sessionStorage.setItem(TOKEN, token.value);
}

/** The refusal of a route; `status` 0 if there was no answer. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  get forbidden(): boolean {
    return this.status === 401 || this.status === 403;
  }

  /** True if the route does not exist, because this release does not have the feature or it is off. */
  get absent(): boolean {
    return this.status === 404;
  }
}

export interface Answer<T> {
  readonly data: T;
  /** The number of instances that the data covers. */
  readonly instances: number;
}

export async function read<T>(path: string, parameters: Parameters = {}): Promise<Answer<T>> {
  const response = await request(path, parameters, { headers: { 'Cache-Control': MAX_AGE } });
  const data = (await response.json()) as T;
  return { data, instances: Number(response.headers.get('X-Cache-Instances') ?? 1) };
}

/** The answers of several routes to one request, by address. */
export interface Answers {
  readonly answers: Readonly<Record<string, unknown>>;
  readonly refusals: Readonly<
    Record<string, { readonly statusCode: number; readonly code: string; readonly message: string }>
  >;
  readonly instances: Readonly<Record<string, number>>;
  /** The factor for intervals: more than 1 if many pages are open. */
  readonly pace: number;
}

/** @param fresh true to accept no shared answer that is older than a second. */
export async function readTogether(addresses: readonly string[], fresh: boolean): Promise<Answers> {
  const query = new URLSearchParams(addresses.map((address) => ['part', address]));
  const init = fresh ? { headers: { 'Cache-Control': 'max-age=1' } } : {};
  const response = await request(`dashboard/overview?${query}`, {}, init);
  const pace = Number(response.headers.get('X-Cache-Pace') ?? 1);
  return { ...((await response.json()) as Omit<Answers, 'pace'>), pace };
}

/** Returns the path and query of a route, relative to the path of all routes. */
export function addressOf(path: string, parameters: Parameters): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export async function readText(path: string, parameters: Parameters = {}): Promise<string> {
  return (await request(path, parameters)).text();
}

/** Sends a request that changes data. */
export async function write(
  method: 'POST' | 'PATCH' | 'DELETE',
  path: string,
  parameters: Parameters = {},
  body?: unknown,
): Promise<unknown> {
  const content =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } };
  const response = await request(path, parameters, { method, ...content });
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
}

/** @throws Refusal for every answer that is not a success, and if there is no answer. */
export async function request(path: string, parameters: Parameters = {}, init: RequestInit = {}): Promise<Response> {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  const headers = new Headers(init.headers);
  if (!HEADER_TEXT.test(token.value))
    throw new Refusal(401, 'UNAUTHORIZED', 'A bearer token has letters, digits and signs of ASCII only.');
  if (token.value !== '') headers.set('Authorization', `Bearer ${token.value}`);
  let response: Response;
  try {
    const signal = init.signal ?? AbortSignal.timeout(ANSWER_MS);
    response = await fetch(url, { ...init, signal, headers, cache: 'no-store', credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal(0, '', 'The application does not answer.');
  }
  if (response.ok) return response;
  const answer = (await response.json().catch(() => ({}))) as { code?: unknown; message?: unknown };
  const message = typeof answer.message === 'string' ? answer.message : response.statusText;
  throw new Refusal(response.status, typeof answer.code === 'string' ? answer.code : '', message);
}
