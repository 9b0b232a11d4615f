import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../lib/wiring/create-observed-cache.js';
import { eventually, freePort, RedisServer } from '../support/redis.js';

describe('a Redis behind TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'cache-tls-'));
  const file = (name: string) => join(directory, name);
  let port: number;
  let server: RedisServer;

  beforeAll(async () => {
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'].concat(
        ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
        ['-keyout', file('key.pem'), '-out', file('cert.pem')],
      ),
      { stdio: 'ignore' },
    );
    port = await freePort();
    server = await RedisServer.start({
      'tls-port': port,
      'tls-cert-file': file('cert.pem'),
      'tls-key-file': file('key.pem'),
      'tls-ca-cert-file': file('cert.pem'),
      'tls-auth-clients': 'no',
    });
  });
  afterAll(async () => {
    await server?.dispose();
    rmSync(directory, { recursive: true, force: true });
  });

  it('a Redis behind TLS is used with rediss:// and the authority of its certificate, for messages too', async () => {
    const make = () =>
      createObservedCache({
        layers: [
          memoryLayer(),
          redisLayer({
            url: `rediss://localhost:${port}`,
            connection: { tls: { ca: readFileSync(file('cert.pem')) } },
            required: true,
          }),
        ],
      });
    const [writer, reader] = [make(), make()];
    await Promise.all([writer.connect(), reader.connect()]);
    await writer.set('product:1', { id: 1 });
    // Only Redis can have this value; memory stores it after the writer's message has arrived.
    await eventually(async () => {
      expect(await reader.get('product:1')).toEqual({ id: 1 });
      return reader.peek('product:1') !== undefined;
    }, 'the reader stores it in memory');
    expect([writer.peek('product:1'), reader.peek('product:1')]).toEqual([{ id: 1 }, { id: 1 }]);
    await reader.del('product:1');
    await eventually(() => writer.peek('product:1') === undefined, 'the message of the deletion arrives');
    expect(await writer.get('product:1')).toBeUndefined();
    await Promise.all([writer.disconnect(), reader.disconnect()]);
  });

  it('a Redis with an untrusted certificate is not used, and the application continues', async () => {
    const codes: string[] = [];
    const cache = createObservedCache({
      layers: [redisLayer({ url: `rediss://localhost:${port}`, deadline: 300 })],
      log: (_level, code) => void codes.push(code),
    });
    expect(await cache.getOrSet('product:1', () => 'origin')).toBe('origin');
    expect(cache.layers[0]!.status().connected).toBe(false);
    await eventually(() => codes.length > 0, 'the failure is logged');
    await cache.disconnect();
  });
});

describe('a Redis that is loading its data', () => {
  it('a Redis that is loading its data is not used until it is ready', async () => {
    const loading = net.createServer((socket) => {
      socket.on('error', () => undefined);
      // One error per command: each command begins with the number of its parts.
      socket.on('data', (data) => {
        const commands = String(data).match(/\*\d+\r\n\$/g)?.length ?? 1;
        socket.write('-LOADING Redis is loading the dataset in memory\r\n'.repeat(commands));
      });
    });
    const sockets = new Set<net.Socket>();
    loading.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => loading.listen(0, '127.0.0.1', resolve));
    const { port } = loading.address() as AddressInfo;
    const cache = createObservedCache({
      namespace: 'cache',
      layers: [redisLayer({ url: `redis://127.0.0.1:${port}`, deadline: 300 })],
    });
    for (let id = 0; id < 5; id++) expect(await cache.getOrSet(`product:${id}`, () => id)).toBe(id);
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => loading.close(resolve));
    const ready = await RedisServer.start({}, port);
    await eventually(async () => {
      await cache.getOrSet('product:9', () => 9);
      return (
        cache.layers[0]!.status().connected && (await ready.client()).exists('cache:product:9').then((n) => n === 1)
      );
    }, 'it serves');
    await cache.disconnect();
    await ready.dispose();
  });
});
