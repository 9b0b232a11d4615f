import type { Clock } from '../../clock.js';
import type { Board } from '../layer.js';
import { withDeadline } from './deadline.js';

const BOARD_MS = 2_000;

/**
 * A board that answers or fails in time. Notes are larger than entries and nobody's request waits for them: how they fare
 * says nothing about the circuit, but while it is open they are not asked for.
 * @param refuse throws while the layer is left alone.
 */
export function boundedBoard(board: Board, layer: string, clock: Clock, refuse: () => void): Board {
  const bounded = async <T>(operation: () => Promise<T>): Promise<T> => {
    refuse();
    return withDeadline(operation(), BOARD_MS, clock, layer);
  };
  return {
    publish: (slot, bytes, keepMs) => bounded(() => board.publish(slot, bytes, keepMs)),
    read: (slot) => bounded(() => board.read(slot)),
    readAll: () => bounded(() => board.readAll()),
    withdraw: (slot) => bounded(() => board.withdraw(slot)),
  };
}
