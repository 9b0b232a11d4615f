// One of several processes that request one cold key at once: node stampede-process.mjs URL. Its parent starts the
// requests.
import { createObservedCache, memoryLayer, redisLayer } from 'nestjs-cache-observability';

const ORIGIN_MS = 50;
/** The same clock for every process of the machine. */
const now = () => performance.timeOrigin + performance.now();
const cache = createObservedCache({ layers: [memoryLayer(), redisLayer({ url: process.argv[2] })], ttl: '1h' });
await cache.connect();
process.send('ready');
process.on('message', async ({ key, callers }) => {
  let loads = 0;
  let loaded;
  const load = async () => {
    loads++;
    await new Promise((resolve) => setTimeout(resolve, ORIGIN_MS));
    loaded = now();
    return { answer: 42 };
  };
  const started = now();
  await Promise.all(Array.from({ length: callers }, () => cache.getOrSet(key, load, { lock: true })));
  process.send({ loads, started, loaded, last: now() });
});
process.on('disconnect', () => process.exit(0));
