import { forEachInSlices, TimeSlice } from '../cache/base/slices.js';

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : Name;

/** The type that {@link present} returns. */
export type Presented<T> = T extends readonly (infer Item)[]
  ? readonly Presented<Item>[]
  : T extends object
    ? { readonly [Name in keyof T as Name extends string ? SnakeCase<Name> : never]: Presented<T[Name]> }
    : T;

/**
 * Converts an answer to the form in which it is sent: field names in snake_case, values unchanged. Only this function converts names.
 * Code uses camelCase; documents, dashboards and scripts use snake_case.
 */
export function present(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(present);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [snakeCase(name), present(item)]));
}

/** `p95ResponseTimeMs` → `p95_response_time_ms`; names without capitals (`24h`, `half_open`) stay as they are. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Adds the field `cache`, the cache's name, to an answer: to the object, or to each object of a list. */
export function ofCache(answer: unknown, cache: string): unknown {
  if (Array.isArray(answer)) return answer.map((row) => ofCache(row, cache));
  return typeof answer === 'object' && answer !== null ? { cache, ...answer } : answer;
}

/** Returns the JSON of {@link present}, rendered in slices if the answer holds a list. */
export async function presentedText(answer: unknown, slice = new TimeSlice()): Promise<string> {
  const parts: string[] = [];
  const add = async (value: unknown): Promise<void> => {
    if (Array.isArray(value)) {
      let before = '[';
      const addItem = (item: unknown): void => {
        parts.push(before, JSON.stringify(present(item)) ?? 'null');
        before = ',';
      };
      await forEachInSlices(value as readonly unknown[], addItem, slice);
      parts.push(value.length === 0 ? '[]' : ']');
    } else parts.push(JSON.stringify(present(value)) ?? 'null');
  };
  if (!holdsMany(answer)) {
    await add(answer);
    return parts.join('');
  }
  let before = '{';
  for (const [name, value] of Object.entries(answer)) {
    if (value === undefined) continue;
    parts.push(`${before}${JSON.stringify(snakeCase(name))}:`);
    before = ',';
    await add(value);
  }
  return `${parts.join('')}}`;
}

/** True if the answer is an object with a list in one of its fields. */
function holdsMany(answer: unknown): answer is Record<string, unknown> {
  return (
    typeof answer === 'object' && answer !== null && !Array.isArray(answer) && Object.values(answer).some(Array.isArray)
  );
}
