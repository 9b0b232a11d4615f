import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { LateLayer } from '../../../../lib/cache/layers/late-layer.js';
import type { Layer } from '../../../../lib/cache/layers/layer.js';
import { redisLayer } from '../../../../lib/cache/layers/redis/redis-layer.js';
import type { RedisClientLike } from '../../../../lib/cache/layers/redis/redis-options.js';
import { layerContext } from '../../../support/layer-context.js';

const facts = { name: 'store', coordinates: true, serverInfo: true, server: () => 'server' };

/** A layer that notes the keys it deletes, and when its code is loaded. */
function lateLayer(failures = 0) {
  const deleted: string[] = [];
  const loading: (() => void)[] = [];
  let attempts = 0;
  const layer = new LateLayer(facts, async () => {
    await new Promise<void>((resolve) => loading.push(resolve));
    if (++attempts <= failures) throw new Error('not found');
    return { delete: (key: string) => deleted.push(key) > 0 } as unknown as Layer;
  });
  return { layer, deleted, load: () => loading.splice(0).forEach((go) => go()) };
}

describe('a layer whose code is loaded with its first use', () => {
  it('is not loaded before it is used, and says what is known of it', () => {
    const { layer, load } = lateLayer();
    expect(layer).toMatchObject({ name: 'store', shared: true, server: 'server', announces: false });
    expect(layer.status()).toMatchObject({ connected: false, entries: null });
    load();
  });

  it('runs calls in their order, although some come while it is loaded', async () => {
    const { layer, deleted, load } = lateLayer();
    const calls = [layer.delete('first'), layer.delete('second')];
    load();
    // A call in each turn of the microtasks, before and after the code is there.
    for (let turn = 0; turn < 12; turn++) {
      calls.push(layer.delete(`turn ${turn}`));
      await Promise.resolve();
    }
    await Promise.all(calls);
    expect(deleted).toEqual(['first', 'second', ...Array.from({ length: 12 }, (_, turn) => `turn ${turn}`)]);
  });

  it('rejects calls if its code cannot be loaded, and tries again with the next', async () => {
    const { layer, deleted, load } = lateLayer(1);
    const refused = layer.delete('first');
    load();
    await expect(refused).rejects.toThrow('not found');
    const answered = layer.delete('second');
    load();
    await expect(answered).resolves.toBe(true);
    expect(deleted).toEqual(['second']);
  });

  it("hears the errors of the application's client before the code of Redis is loaded", () => {
    const client = Object.assign(new EventEmitter(), {
      isOpen: true,
      sendCommand: () => undefined,
      connect: () => undefined,
    });
    redisLayer({ client: client as unknown as RedisClientLike }).create(layerContext('shop'));
    expect(() => client.emit('error', new Error('connection lost'))).not.toThrow();
  });
});
