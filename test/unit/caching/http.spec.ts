import { describe, expect, it } from '@jest/globals';
import { AnswerHeaders } from '../../../lib/caching/http/answer-headers.js';
import { clientCacheControl } from '../../../lib/caching/http/client-cache.js';
import { entityTag, noneMatch } from '../../../lib/caching/http/entity-tag.js';
import { requestDirectives } from '../../../lib/caching/http/request-directives.js';
import { isStorable } from '../../../lib/caching/http/response-capture.js';
import { otherFace } from '../../../lib/caching/http/response-face.js';

describe('If-None-Match', () => {
  const tag = entityTag('text');

  it.each([tag, `W/${tag}`, `"a", ${tag}`, `"a,b" ,W/${tag} `, '*', ' * '])('names the tag in %j', (header) => {
    expect(noneMatch(header, tag)).toBe(true);
  });

  it.each(['', '"a"', tag.slice(1), `"x${tag.slice(1)}`, `"${tag.slice(1, -1)}x"`])(
    'does not name it in %j',
    (header) => {
      expect(noneMatch(header, tag)).toBe(false);
    },
  );

  it('compares weak tags of handlers weakly', () => {
    expect(noneMatch('"a"', 'W/"a"')).toBe(true);
  });
});

describe('Cache-Control of requests', () => {
  it('is read whatever its case, order and quotes', () => {
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

  it('takes Pragma only where there is none', () => {
    expect(requestDirectives(undefined, 'no-cache')).toMatchObject({ noCache: true });
    expect(requestDirectives('max-age=1', 'no-cache')).toMatchObject({ noCache: false });
    expect(requestDirectives(undefined, undefined)).toBeUndefined();
  });

  it('passes a bad max-age over', () => {
    expect(requestDirectives('max-age=soon', undefined)).toMatchObject({ maxAgeMs: Infinity });
  });
});

describe('Cache-Control for clients', () => {
  it('is what is left of the freshness, at most what was asked for', () => {
    expect(clientCacheControl(true, false)!(90_500)).toBe('public, max-age=90');
    expect(clientCacheControl('30s', false)!(90_500)).toBe('public, max-age=30');
    expect(clientCacheControl('30s', false)!(-5)).toBe('public, max-age=0');
    expect(clientCacheControl(false, false)).toBeUndefined();
  });

  it('is private where answers vary by caller, whatever was asked for', () => {
    const options = { maxAge: '1m', scope: 'public', staleWhileRevalidate: '10s', mustRevalidate: true } as const;
    expect(clientCacheControl(options, true)!(Infinity)).toBe(
      'private, max-age=60, must-revalidate, stale-while-revalidate=10',
    );
  });
});

describe('what may be stored', () => {
  it('is success, and not a part of one', () => {
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
      face: otherFace,
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
  ])('is added to %j', (present, expected) => {
    const headers: Record<string, unknown> = present === undefined ? {} : { vary: present };
    make().miss(response(headers), undefined, false);
    expect(headers.vary).toBe(expected);
  });

  it('leaves a Cache-Control of the handler alone', () => {
    const headers: Record<string, unknown> = { 'cache-control': 'no-store' };
    make().miss(response(headers), undefined, false);
    expect(headers['cache-control']).toBe('no-store');
  });
});
