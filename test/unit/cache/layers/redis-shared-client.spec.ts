import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { ClientAvailability } from '../../../../lib/cache/layers/redis/client-availability.js';

describe('a client that many caches share', () => {
  it('a client that many caches share has one listener per event, and every cache receives the event until it stops', () => {
    const client = new EventEmitter();
    const heard: number[] = [];
    const caches = Array.from(
      { length: 15 },
      (_, index) =>
        new ClientAvailability(client as never, { lost: () => void heard.push(index), ready: () => undefined }),
    );
    expect([client.listenerCount('error'), client.listenerCount('ready')]).toEqual([1, 1]);
    caches[0]!.stop();
    client.emit('error', new Error('gone'));
    expect(heard).toEqual(caches.slice(1).map((_, index) => index + 1));
    for (const cache of caches) cache.stop();
    // Without a listener of the application, an 'error' event would end the process.
    expect([client.listenerCount('error'), client.listenerCount('ready')]).toEqual([1, 0]);
  });
});
