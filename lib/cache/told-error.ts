import { CacheError } from './errors.js';

/**
 * What may be said of an error in a log or a report: a message of this library as it is; of any other error its name and its
 * code, because its message may hold a key, a value, a literal of a statement or a credential.
 */
export function toldError(error: unknown): string {
  if (error instanceof CacheError) return error.message;
  if (!(error instanceof Error)) return 'something that is no Error was thrown';
  const code: unknown = Reflect.get(error, 'code');
  const name = /^\w{1,60}$/.test(error.name) ? error.name : 'Error';
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? `${name} ${code}` : name;
}
