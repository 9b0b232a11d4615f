/** The type of an array, and its number of elements. */
type Column<A> = readonly [ColumnType<A>, number];

interface ColumnType<A> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, offset: number, length: number): A;
}

/**
 * Creates typed arrays in one buffer, filled with 0: separate buffers would take 90 bytes more each. List the arrays with the largest
 * elements first, so that each begins at a multiple of its element size.
 * @example const [times, counts] = columns([Float64Array, 100], [Uint8Array, 100]);
 */
export function columns<T extends readonly unknown[]>(...parts: { readonly [I in keyof T]: Column<T[I]> }): T {
  const all: readonly Column<{ readonly byteLength: number }>[] = parts as never;
  const buffer = new ArrayBuffer(all.reduce((bytes, [type, length]) => bytes + type.BYTES_PER_ELEMENT * length, 0));
  let offset = 0;
  return all.map(([type, length]) => {
    const column = new type(buffer, offset, length);
    offset += column.byteLength;
    return column;
  }) as never;
}
