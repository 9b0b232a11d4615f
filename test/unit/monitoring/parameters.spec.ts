import { describe, expect, it } from '@jest/globals';
import { invalidationsOf, noBodyOf, warmBodyOf } from '../../../lib/monitoring/bodies.js';
import { MonitoringError } from '../../../lib/monitoring/monitoring-error.js';
import {
  historyWindowOf,
  limitOf,
  minRequestsOf,
  patternOf,
  patternsOf,
  thresholdOf,
  waitOf,
  windowOf,
} from '../../../lib/monitoring/parameters.js';

function refusal(read: () => unknown): unknown {
  try {
    return { accepted: read() };
  } catch (error) {
    expect(error).toBeInstanceOf(MonitoringError);
    return (error as MonitoringError).getResponse();
  }
}
const invalid = (code: string, message: string) => ({ statusCode: 400, code, message });

describe('a query parameter', () => {
  it('a query parameter has its default if it is omitted, and an unknown one is ignored', () => {
    const request = { query: { windw: '5m', limt: '3' } };
    expect([
      windowOf(request),
      limitOf(request),
      thresholdOf(request),
      minRequestsOf(request),
      waitOf(request),
    ]).toEqual(['all', 10, 0.5, 1, true]);
  });

  it('a query parameter is parsed', () => {
    const request = { query: { window: '24h', limit: '1000', threshold: '0', min_requests: '0', wait: 'false' } };
    expect([
      windowOf(request),
      limitOf(request),
      thresholdOf(request),
      minRequestsOf(request),
      waitOf(request),
    ]).toEqual(['24h', 1000, 0, 0, false]);
  });

  it.each([
    [windowOf, { window: '2m' }, 'window must be one of 1m, 5m, 1h, 24h, all, not "2m"'],
    [windowOf, { window: '' }, 'window must be one of 1m, 5m, 1h, 24h, all, not ""'],
    [windowOf, { window: ['1m', '5m'] }, 'window must be given once, as a plain value'],
    [historyWindowOf, { window: 'all' }, 'window must be one of 1m, 5m, 1h, 24h, not "all"'],
    [patternsOf, { patterns: '101' }, 'patterns must be a whole number from 0 to 100, not "101"'],
    [patternOf, { pattern: '' }, 'pattern must have 1 to 512 characters'],
    [patternOf, { pattern: 'x'.repeat(513) }, 'pattern must have 1 to 512 characters'],
    [limitOf, { limit: '0' }, 'limit must be a whole number from 1 to 1000, not "0"'],
    [limitOf, { limit: '1001' }, 'limit must be a whole number from 1 to 1000, not "1001"'],
    [limitOf, { limit: '2.5' }, 'limit must be a whole number from 1 to 1000, not "2.5"'],
    [limitOf, { limit: '' }, 'limit must be a whole number from 1 to 1000, not ""'],
    [limitOf, { limit: '0x10' }, 'limit must be a whole number from 1 to 1000, not "0x10"'],
    [thresholdOf, { threshold: '1.1' }, 'threshold must be a number from 0 to 1, not "1.1"'],
    [thresholdOf, { threshold: 'NaN' }, 'threshold must be a number from 0 to 1, not "NaN"'],
    [minRequestsOf, { min_requests: '-1' }, 'min_requests must be a whole number of 0 or more, not "-1"'],
    [waitOf, { wait: 'no' }, 'wait must be true or false, not "no"'],
  ])('the query parameter %p refuses %j', (read, query, message) => {
    expect(refusal(() => read({ query }))).toEqual(invalid('INVALID_PARAMETER', message));
  });
});

describe('a body', () => {
  it('the body of warm means all strategies if they are omitted', () => {
    expect([warmBodyOf({}), warmBodyOf({ body: {} }), warmBodyOf({ body: null })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('the body of warm names strategies', () => {
    expect(warmBodyOf({ body: { strategies: ['a'] } })).toEqual(['a']);
  });

  it('the body of invalidate takes any of its three lists', () => {
    expect(invalidationsOf({ body: { tags: ['t'] } })).toEqual({ keys: [], patterns: [], tags: ['t'] });
  });

  it.each([
    [warmBodyOf, [], 'the body must be a JSON object with strategies'],
    [warmBodyOf, { strategies: [] }, 'strategies must name at least one strategy; leave it out to run all of them'],
    [warmBodyOf, { strategies: 'a' }, 'strategies must be a list of non-empty texts'],
    [warmBodyOf, { strategies: [1] }, 'strategies must be a list of non-empty texts'],
    [warmBodyOf, { strategy: ['a'] }, 'unknown in the body: "strategy"; allowed: strategies'],
    [
      invalidationsOf,
      undefined,
      'give at least one of keys, patterns, tags, each a list of texts: {"patterns": ["feed:*"]}',
    ],
    [
      invalidationsOf,
      { keys: [] },
      'give at least one of keys, patterns, tags, each a list of texts: {"patterns": ["feed:*"]}',
    ],
    [invalidationsOf, { keys: [''] }, 'keys must be a list of non-empty texts'],
    [invalidationsOf, { pattern: 'a' }, 'unknown in the body: "pattern"; allowed: keys, patterns, tags, cache'],
    [invalidationsOf, { keys: Array(10_001).fill('k') }, 'keys must hold at most 10000 texts, not 10001'],
    [invalidationsOf, 'feed:*', 'the body must be a JSON object with keys, patterns, tags, cache'],
    [noBodyOf, { all: true }, 'unknown in the body: "all"; allowed: nothing'],
  ])('the body %p refuses %j', (read, body, message) => {
    expect(refusal(() => (read as (request: unknown) => unknown)({ body }))).toEqual(invalid('INVALID_BODY', message));
  });
});
