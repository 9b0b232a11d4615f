import { Invalidations } from '../../lib/cache/invalidation/invalidations.js';
import { memoryLayer } from '../../lib/cache/layers/memory-layer.js';
import { ManualClock } from '../support/manual-clock.js';
import { describeLayer } from './layer-contract.js';

describeLayer('memory', async () => {
  const clock = new ManualClock();
  const invalidations = new Invalidations();
  const layer = memoryLayer().create({
    clock,
    prefix: 'cache',
    events: {
      evicted() {},
      circuit() {},
      queueDepth() {},
      writeDropped() {},
      asyncWrite() {},
      log() {},
    },
    invalidations,
  });
  const invalidateTags = layer.invalidateTags.bind(layer);
  layer.invalidateTags = (tags) => {
    invalidations.tags(tags);
    return invalidateTags(tags);
  };
  return {
    layer,
    clock,
    pass: (ms) => clock.advance(ms),
    epoch: () => invalidations.epoch,
    close: async () => layer.disconnect(),
  };
});
