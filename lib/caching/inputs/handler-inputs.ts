import { type DeclaredInput, declaredInputs } from './declared-inputs.js';
import type { PipedHandler } from './handler-pipes.js';
import { parsedInputs } from './parsed-inputs.js';
import { narrowedQuery } from './query-fields.js';

/**
 * Lists the inputs of a handler as they are after its pipes: values as Nest's own pipes parse them, and a whole query with only
 * the parameters that can reach the handler.
 * @param original the undecorated method.
 * @param query the names of parameters in the handler's option `query`, if any.
 */
export function handlerInputs(
  handler: PipedHandler,
  original: (...args: never[]) => unknown,
  query?: unknown,
): DeclaredInput[] {
  const { transport, cls, method } = handler;
  const inputs = parsedInputs(declaredInputs(transport, cls, method, original), handler);
  return narrowedQuery(inputs, handler, Array.isArray(query) ? query.map(String) : undefined);
}
