import type { Clock } from '../../base/clock.js';
import type { SharedMap } from '../layer.js';
import { withDeadline } from './deadline.js';

const BOARD_MS = 2_000;

/**
 * Wraps a shared map so that each operation ends in time. Notes are larger than entries and no request waits for them, so their results do
 * not affect the circuit. But while the circuit is open, no note is requested, and after an operation without an answer the layer is
 * probed.
 * @param begin throws while the circuit is open. It returns a function to call if the operation times out.
 */
export function boundedSharedMap(
  sharedMap: SharedMap,
  layer: string,
  clock: Clock,
  begin: () => (busy: boolean) => void,
): SharedMap {
  const bounded = async <T>(operation: () => Promise<T>): Promise<T> => {
    const late = begin();
    return withDeadline(operation(), BOARD_MS, clock, layer, { isFixed: true, late });
  };
  return {
    publish: (slot, bytes, keepMs) => bounded(() => sharedMap.publish(slot, bytes, keepMs)),
    read: (slot) => bounded(() => sharedMap.read(slot)),
    readAll: () => bounded(() => sharedMap.readAll()),
    withdraw: (slot) => bounded(() => sharedMap.withdraw(slot)),
  };
}
