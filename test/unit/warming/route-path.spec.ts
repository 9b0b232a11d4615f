import { describe, expect, it } from '@jest/globals';
import { routeUrl } from '../../../lib/warming/route-path.js';

describe('the URL of a route', () => {
  it.each([
    ['/feeds', {}, {}, '/feeds'],
    ['/feeds', {}, { page: '1', tag: ['a', 'b'] }, '/feeds?page=1&tag=a&tag=b'],
    ['/products/:id', { id: 'a/b c' }, {}, '/products/a%2Fb%20c'],
    ['/a/:one/b/:two', { one: '1', two: '2' }, {}, '/a/1/b/2'],
    ['/files/*path', { path: 'a/b c/d' }, {}, '/files/a/b%20c/d'],
    ['/files/*path', { path: ['a', 'b'] }, {}, '/files/a/b'],
    ['/files/*', { 0: 'x/y' }, {}, '/files/x/y'],
    ['/posts{/:year}', {}, {}, '/posts'],
    ['/posts{/:year{/:month}}', { year: '2026' }, {}, '/posts/2026'],
    ['/posts/:year?', {}, {}, '/posts'],
    ['/posts/:year?', { year: '2026' }, {}, '/posts/2026'],
    [String.raw`/n/:id(\d+)`, { id: '7' }, {}, '/n/7'],
  ])('the URL of the route %s with %j and %j', (path, params, query, url) => {
    expect(routeUrl(path, params, query)).toBe(url);
  });

  it('the URL of a route throws for a parameter without a value', () => {
    expect(() => routeUrl('/products/:id')).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTIONS', message: expect.stringContaining('"id"') }),
    );
  });
});
