import {
  duration,
  either,
  flag,
  integer,
  isRecord,
  lengthOf,
  oneOf,
  orFalse,
  type Rule,
  shape,
  text,
} from '../../options/option-rules.js';
import { shown } from '../../base/shown.js';

/** Requires one millisecond or more. */
const someTime: Rule = (value, path, report) => {
  duration(value, path, report);
  if ((lengthOf(value) ?? 1) < 1) report(`${path}: must be one millisecond or more, not ${shown(value)}`);
};

const share: Rule = (value, path, report) => {
  if (!(typeof value === 'number' && value > 0 && value <= 1)) {
    report(`${path}: must be a number above 0 and at most 1, not ${shown(value)}`);
  }
};

const serializer: Rule = (value, path, report) => {
  const { id, serialize, deserialize } = value as Record<string, unknown>;
  if (typeof id === 'string' && typeof serialize === 'function' && typeof deserialize === 'function') return;
  report(`${path}: must be 'json', 'structured-clone' or an object with id, serialize() and deserialize()`);
};

/** The rules of the options of every layer outside this process. */
export const remoteFields = {
  name: text,
  required: flag,
  deadline: someTime,
  breaker: orFalse(
    shape({
      window: someTime,
      threshold: share,
      minimumCalls: integer(1),
      slowCall: duration,
      halfOpenAfter: someTime,
    }),
  ),
  writes: either(
    [
      isRecord,
      shape({
        maxQueue: integer(1),
        maxQueueBytes: integer(1),
        batchSize: integer(1),
        flushEvery: duration,
        drainWithin: duration,
      }),
    ],
    [() => true, oneOf('through', 'behind')],
  ),
  serializer: either([isRecord, serializer], [() => true, oneOf('json', 'structured-clone')]),
  compression: orFalse(shape({ threshold: integer(0) }, ['threshold'])),
} satisfies Record<string, Rule>;
