import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, systemClock } from '../../../lib/cache/base/clock.js';
import { memoryLayer } from '../../../lib/cache/layers/memory-layer.js';
import { redisLayer } from '../../../lib/cache/layers/redis/redis-layer.js';
import { createObservedCache } from '../../../lib/wiring/create-observed-cache.js';
import { type ObservedCache } from '../../../lib/wiring/observed-cache.js';
import type { Answered, Ask, Asked, ToProcess } from './messages.js';

/*
 * A process with its own cache that its parent controls: one cache with memory and Redis as an application has, and one
 * without memory, which reads Redis.
 */
const [url, skewMs = '0'] = process.argv.slice(2);
const skewed: Clock = { ...systemClock, now: () => systemClock.now() + Number(skewMs) };
const options = { namespace: 'consistency', clock: skewed, metrics: false } as const;
const remote = () => redisLayer({ url: url!, deadline: 2_000 });
const caches: Record<Ask['through'], ObservedCache> = {
  memory: createObservedCache({ ...options, layers: [memoryLayer(), remote()] }),
  redis: createObservedCache({ ...options, layers: [remote()] }),
};

const asked = new Map<number, (version: number) => void>();
let question = 0;

/** The origin is the parent process: it returns the current version. */
function origin(key: string): Promise<number> {
  return new Promise((resolve) => {
    asked.set(++question, resolve);
    send({ kind: 'asked', question, key });
  });
}

function send(message: Answered | Asked): void {
  process.send!(message);
}

async function run(ask: Ask): Promise<unknown> {
  const cache = caches[ask.through];
  switch (ask.what) {
    case 'load':
      return cache.getOrSet(
        ask.key,
        async () => {
          const version = await origin(ask.key);
          await pause(ask.pauseMs);
          return version;
        },
        { ttl: '1m', tags: ask.tags },
      );
    case 'get':
      return cache.get(ask.key);
    case 'peek':
      return cache.peek(ask.key);
    case 'set':
      return void (await cache.setMany([{ key: ask.key, value: ask.version, ttl: '1m', tags: ask.tags }]));
    case 'delete':
      return void (await cache.del(ask.key));
    case 'glob':
      return void (await cache.deleteByPattern(ask.key));
    case 'tags':
      return cache.invalidateTags(...ask.tags);
  }
}

process.on('message', (message: ToProcess) => {
  if (message.kind === 'version') {
    asked.get(message.question)?.(message.version);
    asked.delete(message.question);
    return;
  }
  run(message.ask).then(
    (value) => send({ kind: 'answered', id: message.id, value }),
    (error: unknown) => send({ kind: 'answered', id: message.id, error: String(error) }),
  );
});
process.on('disconnect', () => process.exit(0));

await Promise.all(Object.values(caches).map((cache) => cache.connect()));
send({ kind: 'answered', id: 0 });
