import { describe, expect, it } from '@jest/globals';
import type { SharedMap } from '../../../../lib/cache/layers/layer.js';
import { boundedSharedMap } from '../../../../lib/cache/layers/resilience/bounded-shared-map.js';
import { ManualClock } from '../../../support/manual-clock.js';

describe('a shared map', () => {
  it('a shared map that does not answer fails after two seconds, which no option changes', async () => {
    const clock = new ManualClock();
    const frozen = { publish: () => new Promise<void>(() => undefined) } as Partial<SharedMap> as SharedMap;
    const sharedMap = boundedSharedMap(frozen, 'redis', clock, () => () => undefined);
    const outcome = sharedMap.publish('a', Buffer.from('1'), 1_000).catch((error: unknown) => error);
    await clock.advance(2_000);
    expect(await outcome).toMatchObject({
      code: 'LAYER_TIMEOUT',
      message: "Layer 'redis' did not answer within 2000 ms.",
    });
  });
});
