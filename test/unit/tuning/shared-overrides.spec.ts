import { expect, it } from '@jest/globals';
import { OnceLog } from '../../../lib/cache/base/once-log.js';
import { SharedOverrides } from '../../../lib/tuning/shared-overrides.js';
import { ManualClock } from '../../support/manual-clock.js';

it('a process logs once that policies of other processes cannot be read, and when they can again', async () => {
  const codes: string[] = [];
  let failure: Error | undefined = new Error('down');
  const overrides = new SharedOverrides({
    map: {
      publish: () => Promise.resolve(),
      read: () => Promise.resolve(undefined),
      readAll: () => (failure === undefined ? Promise.resolve(new Map()) : Promise.reject(failure)),
      withdraw: () => Promise.resolve(),
    },
    clock: new ManualClock(),
    log: new OnceLog((_, code) => void codes.push(code)),
    announce: () => undefined,
    received: () => undefined,
  });
  await overrides.refresh();
  await overrides.refresh();
  failure = undefined;
  await overrides.refresh();
  await overrides.refresh();
  expect(codes).toEqual(['POLICIES_NOT_READ', 'POLICIES_READ']);
});
