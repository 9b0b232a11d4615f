import { afterEach, describe, expect, it } from '@jest/globals';
import { platforms } from '../support/apps.js';
import { additions, bare, closeLaneApps, type Middleware, startLane } from '../support/lane-app.js';

/*
 * Promise: middleware that hits skip may derive headers from anything in a request. The lane sends such headers to a
 * request with the same values, and to no other.
 */

afterEach(closeLaneApps);

/** Request headers by which a proxy, a browser or a program identifies a caller. */
const SAID = [
  'accept',
  'accept-language',
  'cdn-loop',
  'cf-connecting-ip',
  'cf-ipcountry',
  'cf-ray',
  'dnt',
  'fastly-client-ip',
  'forwarded',
  'host',
  'origin',
  'priority',
  'referer',
  'save-data',
  'sec-ch-ua',
  'sec-fetch-site',
  'true-client-ip',
  'user-agent',
  'via',
  'x-client-ip',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-original-forwarded-for',
  'x-real-ip',
  'x-requested-with',
];

/** Sends a response header derived from a request header. */
const derives =
  (name: string): Middleware =>
  ({ headers }, response, next) => {
    const said = headers[name];
    if (said !== undefined) response.setHeader('X-Made', made(String(said)));
    next();
  };
const made = (said: string) => `of ${[...said].reverse().join('')}`;

describe.each(platforms)('the fast lane on %s', (platform) => {
  const [, add] = Object.entries(additions[platform])[0]!;

  it.each(SAID)('the fast lane sends no header made from %s by skipped code to another caller', async (name) => {
    const adapter = bare(platform);
    add(adapter, Object.defineProperty(derives(name), 'name', { value: 'derives' }));
    const { ask, lastOfSix } = await startLane(adapter, { fastLane: { skipMiddleware: ['derives'] } });
    const callers = name === 'host' ? ['one.example', 'two.example'] : ['value-of-one', 'value-of-two'];
    for (const said of callers) {
      const { headers } = await lastOfSix('/feed', { [name]: said });
      expect(headers['x-made']).toBe(made(said));
    }
    if (name !== 'host') expect((await ask('/feed')).headers['x-made']).toBeUndefined();
  });

  it("the fast lane sends no header that skipped middleware makes from the client's IP address to another address", async () => {
    const adapter = bare(platform);
    add(adapter, function place({ socket }, response, next) {
      response.setHeader('X-Place', made(socket.remoteAddress!));
      next();
    });
    const { lastOfSix } = await startLane(adapter, { fastLane: { skipMiddleware: ['place'] } });
    for (const from of ['127.0.0.1', '127.0.0.2'])
      expect((await lastOfSix('/feed', {}, 'GET', from)).headers['x-place']).toBe(made(from));
  });

  it('the fast lane sends no header to another caller if skipped middleware deletes what it read from the request', async () => {
    const adapter = bare(platform);
    add(adapter, function strips(request, response, next) {
      const said = request.headers['cf-connecting-ip'];
      if (said !== undefined) response.setHeader('X-Made', made(String(said)));
      delete request.headers['cf-connecting-ip'];
      next();
    });
    const { ask, lastOfSix } = await startLane(adapter, { fastLane: { skipMiddleware: ['strips'] } });
    await lastOfSix('/feed', { 'cf-connecting-ip': '192.0.2.1' });
    expect((await ask('/feed')).headers['x-made']).toBeUndefined();
  });

  it('the fast lane sends no header that skipped middleware makes from If-None-Match to another caller', async () => {
    const adapter = bare(platform);
    add(adapter, Object.defineProperty(derives('if-none-match'), 'name', { value: 'derives' }));
    const { ask, lastOfSix } = await startLane(adapter, { fastLane: { skipMiddleware: ['derives'] } });
    await lastOfSix('/feed', { 'if-none-match': '"one"' });
    expect((await ask('/feed')).headers['x-made']).toBeUndefined();
    const { headers } = await lastOfSix('/feed', { 'if-none-match': '"two"' });
    expect(headers['x-made']).toBe(made('"two"'));
  });

  it('the fast lane answers a caller that sends the same headers again', async () => {
    const adapter = bare(platform);
    add(adapter, Object.defineProperty(derives('x-real-ip'), 'name', { value: 'derives' }));
    const { lastOfSix } = await startLane(adapter, { fastLane: { skipMiddleware: ['derives'] } });
    const answer = await lastOfSix('/feed', { 'x-real-ip': '192.0.2.1', 'user-agent': 'Browser/1.0' });
    expect(answer).toMatchObject({ path: 'lane', headers: { 'x-made': made('192.0.2.1') } });
  });

  it('the fast lane answers all callers if it skips no middleware', async () => {
    const { ask, lastOfSix } = await startLane(bare(platform));
    expect((await lastOfSix('/feed', { 'x-real-ip': '192.0.2.1' })).path).toBe('lane');
    expect((await ask('/feed', { 'x-real-ip': '192.0.2.2', 'user-agent': 'Browser/2.0' })).path).toBe('lane');
  });
});
