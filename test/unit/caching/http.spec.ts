import { describe, expect, it } from '@jest/globals';
import { AnswerHeaders } from '../../../lib/caching/http/answer-headers.js';
import { clientCacheControl } from '../../../lib/caching/http/client-cache.js';
import { entityTag, noneMatch } from '../../../lib/caching/http/entity-tag.js';
import { requestDirectives } from '../../../lib/caching/gate/request-directives.js';
import { isStorable } from '../../../lib/caching/http/response-capture.js';
import { otherResponses } from '../../../lib/caching/http/response-adapter.js';

describe('If-None-Match', () => {
  const tag = entityTag('text');
  const strong = tag.slice('W/'.length);

  it('If-None-Match is compared with a weak tag, because the response may be compressed in transit', () => {
    expect(tag).toMatch(/^W\/"[\w-]{27}"$/);
  });

  it.each([tag, strong, `"a", ${tag}`, `"a,b" ,${strong} `, '*', ' * '])('If-None-Match matches %j', (header) => {
    expect(noneMatch(header, tag)).toBe(true);
  });

  it.each(['', '"a"', strong.slice(1), `W/"x${strong.slice(1)}`, `"${strong.slice(1, -1)}x"`])(
    'If-None-Match does not match %j',
    (header) => {
      expect(noneMatch(header, tag)).toBe(false);
    },
  );

  it('If-None-Match compares weak tags of handlers weakly', () => {
    expect(noneMatch('"a"', 'W/"a"')).toBe(true);
  });
});

describe('Cache-Control of requests', () => {
  it('Cache-Control of requests is read in any case, order and quotes', () => {
    expect(requestDirectives('Max-Age="5", NO-CACHE', undefined)).toEqual({
      noStore: false,
      noCache: true,
      onlyIfCached: false,
      maxAgeMs: 5_000,
    });
    expect(requestDirectives('no-store,only-if-cached', undefined)).toMatchObject({
      noStore: true,
      onlyIfCached: true,
    });
  });

  it('Pragma counts only without Cache-Control', () => {
    expect(requestDirectives(undefined, 'no-cache')).toMatchObject({ noCache: true });
    expect(requestDirectives('max-age=1', 'no-cache')).toMatchObject({ noCache: false });
    expect(requestDirectives(undefined, undefined)).toBeUndefined();
  });

  it.each(['max-age=soon', 'max-age=-1', 'no-transform', 'max-stale=5', ' '])(
    'Cache-Control contains no request in %j',
    (control) => {
      expect(requestDirectives(control, undefined)).toBeUndefined();
    },
  );
});

describe('Cache-Control for clients', () => {
  const everyone = { variesByCaller: false, guarded: false };

  it('Cache-Control for clients has the remaining freshness as max-age, at most the requested one', () => {
    expect(clientCacheControl(true, everyone)!(90_500)).toBe('public, max-age=90');
    expect(clientCacheControl('30s', everyone)!(90_500)).toBe('public, max-age=30');
    expect(clientCacheControl('30s', everyone)!(-5)).toBe('public, max-age=0');
    expect(clientCacheControl(false, everyone)).toBeUndefined();
  });

  it('Cache-Control for clients is private if responses vary by caller, even if public was requested', () => {
    const options = { maxAge: '1m', scope: 'public', staleWhileRevalidate: '10s', mustRevalidate: true } as const;
    expect(clientCacheControl(options, { variesByCaller: true, guarded: false })!(Infinity)).toBe(
      'private, max-age=60, must-revalidate, stale-while-revalidate=10',
    );
  });
});

describe('a storable response', () => {
  it('a storable response has a success status other than 206', () => {
    expect([200, 201, 204, 206, 301, 304, 404, 500].filter(isStorable)).toEqual([200, 201, 204]);
  });
});

describe('Vary', () => {
  const response = (headers: Record<string, any>) => ({
    statusCode: 200,
    getHeader: (name: string) => headers[name],
    getHeaders: () => headers,
    setHeader: (name: string, value: unknown) => void (headers[name] = value),
  });
  const make = () =>
    new AnswerHeaders({
      responses: otherResponses,
      level: 'minimal',
      name: 'cache',
      now: () => 0,
      vary: ['authorization', 'cookie'],
      private: true,
      clientCache: undefined,
    });

  it.each([
    [undefined, 'authorization, cookie'],
    ['Origin', 'Origin, authorization, cookie'],
    ['Cookie', 'Cookie, authorization'],
    ['*', '*'],
  ])('Vary is added to %j', (present, expected) => {
    const headers: Record<string, unknown> = present === undefined ? {} : { vary: present };
    make().miss(response(headers), undefined, { collapsed: false, reload: false });
    expect(headers.vary).toBe(expected);
  });

  it('a Cache-Control of the handler is not changed', () => {
    const headers: Record<string, unknown> = { 'cache-control': 'no-store' };
    make().miss(response(headers), undefined, { collapsed: false, reload: false });
    expect(headers['cache-control']).toBe('no-store');
  });
});
