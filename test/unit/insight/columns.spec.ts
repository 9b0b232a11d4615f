import { describe, expect, it } from '@jest/globals';
import { columns } from '../../../lib/insight/stream/columns.js';

describe('columns()', () => {
  it('columns() returns arrays of zeros that share a buffer and overlap nowhere', () => {
    const [times, hashes, flags] = columns([Float64Array, 2], [Int32Array, 3], [Uint8Array, 5]);
    times.fill(1.5);
    hashes.fill(-1);

    expect([...times, ...hashes, ...flags]).toEqual([1.5, 1.5, -1, -1, -1, 0, 0, 0, 0, 0]);
    expect([hashes.buffer, flags.buffer]).toEqual([times.buffer, times.buffer]);
    expect(times.buffer.byteLength).toBe(2 * 8 + 3 * 4 + 5);
  });
});
