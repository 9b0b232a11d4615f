import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of the heap that are in use after all garbage has been collected. */
export function heapInUse(): number {
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

/** Bytes in use of the heap and of Buffers and other byte arrays outside of it. */
export function memoryInUse(): number {
  const heap = heapInUse();
  return heap + process.memoryUsage().external;
}
