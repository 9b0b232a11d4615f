import { isObservable, lastValueFrom } from 'rxjs';

/**
 * Runs the handler of one request.
 * @returns what Nest would get without the cache: an Observable of the chain of interceptors, or the handler's own result.
 */
export type HandlerCall = () => unknown;

/** The result of a handler: of an Observable, the last value. */
export async function resultOf(call: HandlerCall): Promise<unknown> {
  const called = call();
  const returned: unknown = await (isObservable(called) ? lastValueFrom(called) : called);
  return isObservable(returned) ? lastValueFrom(returned) : returned;
}
