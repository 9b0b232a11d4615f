import { CacheError } from './errors.js';

/**
 * What may be said of an error in a log or a report: a message of this library as it is; of any other error its name, its
 * code and where it was thrown, because its message may hold a key, a value, a literal of a statement or a credential.
 */
export function toldError(error: unknown): string {
  if (error instanceof CacheError) return error.message;
  if (!(error instanceof Error)) return 'something that is no Error was thrown';
  const code: unknown = Reflect.get(error, 'code');
  const place = placeOf(error);
  return [
    /^\w{1,60}$/.test(error.name) ? error.name : 'Error',
    ...(typeof code === 'string' && /^\w{1,40}$/.test(code) ? [code] : []),
    ...(place === undefined ? [] : [`at ${place}`]),
  ].join(' ');
}

const FRAME = /^\s+at (?:async )?(?:([\w$.<>#\s[\]]{1,80}) \()?(?:[^\n]*[\\/])?([\w$.-]{1,80}:\d+):\d+\)?$/m;

/** `PopularProducts.entries (popular-products.js:12)`: the innermost frame of its stack, without the folders. */
function placeOf({ message, stack }: Error): string | undefined {
  // Frames stand behind the message, which may look like one.
  const from = stack?.indexOf(message) ?? -1;
  const frame = FRAME.exec(from === -1 ? '' : (stack ?? '').slice(from + message.length));
  if (frame === null) return undefined;
  return frame[1] === undefined ? frame[2] : `${frame[1]} (${frame[2]})`;
}
