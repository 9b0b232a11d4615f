import net from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { redisFailure } from '../../lib/cache/layers/redis/redis-failure.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import type { RedisLayerOptions } from '../../lib/cache/layers/redis/redis-options.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

const SECRET = 'hunter-secret';

describe('an unusable Redis', () => {
  const closing: (() => unknown)[] = [];
  let plain: RedisServer;
  beforeAll(async () => {
    plain = await RedisServer.start();
  });
  afterAll(() => plain.dispose());
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const redis = async (config: Record<string, string>) => {
    const server = await RedisServer.start(config);
    closing.push(() => server.dispose());
    return server.port;
  };
  /** A Redis with a user of these ACL rules. */
  const redisFor = async (...rules: string[]) => {
    const server = await RedisServer.start();
    closing.push(() => server.dispose());
    await (await server.client()).sendCommand(['ACL', 'SETUSER', 'app', 'on', `>${SECRET}`, ...rules]);
    return server.port;
  };
  const listener = async (answer: (socket: net.Socket) => void) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      closing.push(() => socket.destroy());
      answer(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => server.close());
    return (server.address() as net.AddressInfo).port;
  };
  const at = (port: number, user = '') => `redis://${user}127.0.0.1:${port}`;

  /** The error of a required layer on connect(), and the log line of an optional one. */
  async function reported(options: RedisLayerOptions): Promise<string> {
    const logged: string[] = [];
    const start = async (required: boolean) => {
      const cache = createObservedCache({
        namespace: 'shop',
        layers: [redisLayer({ connection: { connectTimeout: 200 }, ...options, required })],
        log: (_, code, message) => void logged.push(`${code} ${message}`),
      });
      closing.push(() => cache.disconnect());
      await cache.connect();
      return cache;
    };
    const error: unknown = await start(true).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'LAYER_REQUIRED' });
    const { message, cause } = error as Error;
    const reason = (cause as Error).message;
    expect(message).toBe(
      `Layer 'redis' is required and cannot be used: ${reason} Set required: false to start without it.`,
    );
    const before = logged.splice(0);
    const { metrics } = await start(false);
    expect(logged).toEqual([`LAYER_LOST Layer 'redis' is not used at the moment: ${reason}`]);
    const [warning] = metrics.getHealth().warnings;
    expect(warning!.message).toBe(`Layer 'redis' is not connected, and the cache works without it: ${reason}`);
    expect(`${message}${before.join()}${logged.join()}`).not.toContain(SECRET);
    return reason;
  }

  it.each<[string, () => Promise<RedisLayerOptions>, RegExp]>([
    ['refuses connections', async () => ({ url: at(await freePort(), `:${SECRET}@`) }), /^redis:\/\/•••@127\.0\.0\.1:\d+ refuses connections \(ECONNREFUSED\)\. Start its server/],
    ['has an unknown host name', async () => ({ url: `redis://:${SECRET}@nowhere.invalid:6379` }), /nowhere\.invalid:6379 has an unknown host name \((ENOTFOUND|EAI_AGAIN)\)/],
    ['needs a password', async () => ({ url: at(await redis({ requirepass: SECRET })) }), /needs a password \(NOAUTH\)\. Put it into the address/],
    ['refuses the password', async () => ({ url: at(await redis({ requirepass: 'other' }), `:${SECRET}@`) }), /refuses the user name or the password \(WRONGPASS\)/],
    ['does not permit a command', async () => ({ url: at(await redisFor('~*', '&*', '+@all', '-eval', '-evalsha'), `app:${SECRET}@`) }), /does not permit the user to run EVALSHA \(NOPERM\)\. Permit it: ACL SETUSER <user> \+evalsha/],
    ['does not permit the keys', async () => ({ url: at(await redisFor('~other:*', '&*', '+@all'), `app:${SECRET}@`) }), /does not permit the user to use the keys of this cache \(NOPERM\)\. .*~<namespace>:\*/],
    ['has no such database', async () => ({ url: `${plain.url}/99` }), /has no database of that number/],
    ['is not a cluster', async () => ({ cluster: { rootNodes: [{ url: plain.url }] } }), /is not a cluster\. Use url in place of cluster/],
    ['does not speak TLS', async () => ({ url: `rediss://127.0.0.1:${await listener((socket) => socket.end('-ERR unknown command\r\n'))}` }), /does not speak TLS\. Use redis:\/\//],
    ['closes the connection', async () => ({ url: at(await listener((socket) => socket.once('data', () => socket.end()))) }), /closed the connection\. Check that it is a Redis server\. A server with TLS needs rediss:/],
    ['never answers', async () => ({ url: at(await listener(() => undefined)) }), /does not answer in time\. Check that a Redis server runs there/],
  ])('the log reports a Redis that %s, and what to do', async (_, options, reason) => {
    expect(await reported(await options())).toMatch(reason);
  }, 15_000); // prettier-ignore

  it('a Redis that is lost later is reported as lost', async () => {
    const server = await RedisServer.start();
    closing.push(() => server.dispose());
    const logged: string[] = [];
    const cache = createObservedCache({
      namespace: 'shop',
      layers: [redisLayer({ url: server.url })],
      log: (_, code, message) => void logged.push(`${code} ${message}`),
    });
    closing.push(() => cache.disconnect());
    await cache.connect();
    await server.kill();
    await cache.get('a');
    expect(logged).toContainEqual(
      expect.stringMatching(
        /^LAYER_LOST Layer 'redis' is not used at the moment: redis:\/\/127\.0\.0\.1:\d+ closed the connection\. Check that its server runs\.$/,
      ),
    );
  });
});

describe('the health of a cache whose Redis comes back with another password', () => {
  it('the health names the latest cause without the password, and none once Redis serves', async () => {
    const first = await RedisServer.start({ requirepass: SECRET });
    const cache = createObservedCache({
      namespace: 'shop',
      layers: [redisLayer({ url: `redis://:${SECRET}@127.0.0.1:${first.port}` })],
    });
    await cache.connect();
    const health = () => JSON.stringify(cache.metrics.getHealth().warnings);
    await first.kill();
    await eventually(() => health().includes('refuses connections (ECONNREFUSED)'), 'the server is gone');
    const second = await RedisServer.start({ requirepass: 'other' }, first.port);
    await eventually(() => health().includes('refuses the user name or the password (WRONGPASS)'), 'the new cause');
    expect(health()).not.toContain(SECRET);
    await second.dispose();
    const third = await RedisServer.start({ requirepass: SECRET }, first.port);
    await eventually(() => health() === '[]', 'no warning');
    expect(cache.metrics.getLayerStats()[0]).not.toHaveProperty('failure');
    await cache.disconnect();
    await third.dispose();
    await first.dispose();
  }, 30_000);
});

describe('the cause of a failure of Redis', () => {
  const failure = (error: unknown) => redisFailure(error, 'redis://host').message;
  const coded = (code: string, message = SECRET) => Object.assign(new Error(message), { code });

  it.each([
    [coded('EHOSTUNREACH'), 'redis://host cannot be reached from here (EHOSTUNREACH).'],
    [coded('SELF_SIGNED_CERT_IN_CHAIN'), 'has a certificate that is not trusted (SELF_SIGNED_CERT_IN_CHAIN).'],
    [coded('CERT_HAS_EXPIRED'), 'has a certificate that is not trusted (CERT_HAS_EXPIRED).'],
    [coded('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'), 'failed to agree on TLS'],
    [new Error('LOADING Redis is loading the dataset in memory'), 'is loading its data (LOADING).'],
    [
      new Error(`READONLY You can't write against a read only replica. ${SECRET}`),
      'is a replica that takes no writes (READONLY).',
    ],
    [new Error('MISCONF Redis is configured to save RDB snapshots'), 'cannot save to its disk (MISCONF).'],
    [new Error('CLUSTERDOWN Hash slot not served'), 'does not serve all slots (CLUSTERDOWN).'],
    [new Error('ERR max number of clients reached'), 'has reached its limit of clients.'],
    [new Error("NOPERM this user has no permissions to access the 'x' channel"), 'to use the channels of this cache'],
    [
      new Error("ERR ACL failure in script: User app has no permissions to run the 'set' command"),
      'does not permit the user to run SET (NOPERM). Permit it: ACL SETUSER <user> +set.',
    ],
    [
      new Error(
        "ERR The user executing the script can't run this command or subcommand script: 0a, on @user_script:1.",
      ),
      'to run a command of the scripts (NOPERM). Give it the rights',
    ],
    [
      new Error("ERR The user executing the script can't access at least one of the keys mentioned in the command"),
      'to use the keys of this cache (NOPERM).',
    ],
    [
      new Error(`ERR unknown command 'INFO', with args beginning with: '${SECRET}'`),
      'does not know the command INFO. Ask its provider to enable it.',
    ],
    [new AggregateError([coded('ECONNREFUSED')], SECRET), 'refuses connections (ECONNREFUSED).'],
    [
      new Error(SECRET, { cause: new Error('inner', { cause: coded('ENOTFOUND') }) }),
      'has an unknown host name (ENOTFOUND).',
    ],
    [new TypeError(SECRET), 'redis://host cannot be used (TypeError). Connecting is retried.'],
    [SECRET, 'redis://host cannot be used (_OTHER).'],
    [Object.assign(new Error('a'), { cause: undefined }), 'cannot be used (Error).'],
  ])('the cause of a failure is found in error %#', (error, text) => {
    expect(failure(error)).toContain(text);
    expect(failure(error)).not.toContain(SECRET);
  });

  it('the cause of a failure is found in bounded time if the causes form a circle', () => {
    const error = new Error('a');
    error.cause = error;
    expect(failure(error)).toContain('cannot be used');
  });
});
