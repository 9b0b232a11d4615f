import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { CacheLog } from '../../../lib/cache/base/cache-log.js';
import { CacheError } from '../../../lib/cache/base/errors.js';
import {
  errorKind,
  redactedCause,
  redactedLog,
  redactedMessage,
  redactedUrl,
} from '../../../lib/cache/base/redacted-error.js';

function thrownHere(error: Error): Error {
  return error;
}

/** Errors as clients throw them, each with the planted word wherever such a client puts data. */
const planted: Record<string, () => unknown> = {
  'a message': () => new Error('no key hunter2'),
  "ioredis' command": () =>
    Object.assign(new Error('WRONGPASS hunter2'), {
      name: 'ReplyError',
      command: { name: 'auth', args: ['default', 'hunter2'] },
    }),
  'an invalid URL': () => {
    try {
      return new URL('redis://:hunter2@:x');
    } catch (error) {
      return error;
    }
  },
  'a nested cause': () => new Error('a', { cause: new Error('hunter2', { cause: { password: 'hunter2' } }) }),
  'an AggregateError': () => new AggregateError([new Error('hunter2'), 'hunter2'], 'hunter2'),
  'a name and a code': () => Object.assign(new Error('m'), { name: 'hunter2', code: 'hunter2' }),
  'a message that looks like a frame': () => new Error('x\n    at hunter2 (hunter2.js:1:1)'),
  'a forged stack': () => Object.assign(new Error('m'), { stack: 'hunter2: m\n  hunter2' }),
  'a thrown string': () => 'hunter2',
  'a thrown object': () => ({ message: 'hunter2', code: 'hunter2', toString: () => 'hunter2' }),
  'an error of another realm': () => runInNewContext("Object.assign(new Error('hunter2'), { args: ['hunter2'] })"),
  'an error whose properties throw': () =>
    Object.defineProperties(new Error('m'), {
      code: {
        get: () => {
          throw new Error('hunter2');
        },
      },
      hunter: { enumerable: true, value: 'hunter2' },
    }),
  'an error that causes itself': () => {
    const error: Error & { cause?: unknown } = new Error('hunter2');
    error.cause = error;
    return error;
  },
};

describe('an error of foreign code', () => {
  it.each(Object.keys(planted))('data in %s is redacted as message, cause, kind and detail', (kind) => {
    const thrown = planted[kind]!();
    const written: unknown[] = [];
    const log = redactedLog((...line) => written.push(line));
    log('warn', 'LAYER_FAILED', 'message', {
      cause: thrown,
      reason: [thrown instanceof Error ? thrown : new Error('hunter2')],
    });
    const outputs = [
      redactedMessage(thrown),
      errorKind(thrown),
      redactedCause(thrown),
      new CacheError('LAYER_REQUIRED', 'Required.', { cause: thrown }),
      written,
    ];
    for (const output of outputs) expect(inspect(output, { depth: null, showHidden: true })).not.toMatch(/hunter/);
  });

  it('a foreign error is described by class, code, place, and those of its causes', () => {
    const cause = Object.assign(new RangeError('inner'), { code: 'ERR_INNER' });
    const error = thrownHere(Object.assign(new TypeError("key=(jo@shop.test) 'x'", { cause }), { code: '23505' }));
    expect(redactedMessage(error)).toMatch(
      /^TypeError 23505 at (\S+ \()?redacted-error\.spec\.ts:\d+\)?, caused by RangeError ERR_INNER at \S+.*$/,
    );
    expect(errorKind(error)).toBe('23505');
    expect(errorKind(new DOMException('x', 'AbortError'))).toBe('AbortError');
  });

  it('a foreign error keeps the places of its stack as a cause', () => {
    const { cause } = new CacheError('LAYER_REQUIRED', 'Required.', { cause: thrownHere(new TypeError('secret')) });
    expect(cause).toBeInstanceOf(Error);
    expect((cause as Error).stack).toMatch(/^TypeError: TypeError at .*\n {4}at .*redacted-error\.spec\.ts:\d+/);
  });
});

describe('an error of this library', () => {
  it('an error of this library is shown unchanged, and kept as a cause', () => {
    const ours = new CacheError('CACHE_CLOSED', 'The cache is closed.');
    expect(redactedMessage(ours)).toBe('The cache is closed.');
    expect(new CacheError('LAYER_REQUIRED', 'Required.', { cause: ours }).cause).toBe(ours);
  });
});

it('details of a log line are texts, numbers and booleans', () => {
  const written: unknown[] = [];
  const log: CacheLog = redactedLog((...line) => written.push(line));
  log('log', 'LAYER_FAILED', 'message', {
    layer: 'redis',
    count: 2,
    on: true,
    none: undefined,
    list: ['a', 1],
    map: new Map(),
  });
  expect(written).toEqual([
    ['log', 'LAYER_FAILED', 'message', { layer: 'redis', count: 2, on: true, list: 'a, 1', map: expect.any(String) }],
  ]);
});

it.each([
  ['redis://user:hunter2@cache.test:6379/1', 'redis://•••@cache.test:6379/1'],
  ['rediss://:hunter2@cache.test', 'rediss://•••@cache.test'],
  ['redis://cache.test:6379?password=hunter2', 'redis://cache.test:6379'],
  ['redis://:hunter2@cache.test:6379:x/a', 'redis://•••@cache.test:6379:x/a'],
  ['redis://:hun?ter2@x#hunter2@cache.test:port', 'redis://•••@cache.test:port'],
  ['user:hunter2@cache.test', '•••@cache.test'],
  ['localhost:6379', 'localhost:6379'],
  ['redis://a:hunter2@b:1,redis://c:hunter2@d:2', 'redis://•••@d:2'],
])('the URL %s is shown as %s', (url, shown) => {
  expect(redactedUrl(url)).toBe(shown);
});

describe('a log that is redacted in two places', () => {
  it('a log that is redacted twice shows the cause redacted once, and no thrown text', () => {
    const causes: unknown[] = [];
    const log = redactedLog(redactedLog((_level, _code, _message, details) => void causes.push(details?.['cause'])));
    log('warn', 'LAYER_FAILED', 'A read failed.', {
      cause: Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }),
    });
    log('warn', 'LAYER_FAILED', 'A read failed.', { cause: 'secret' });
    expect(causes).toEqual([expect.stringMatching(/^Error ECONNREFUSED/), 'a value that is not an Error was thrown']);
  });
});
