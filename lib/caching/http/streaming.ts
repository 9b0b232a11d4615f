/** True for values that can be read once: streams, files, iterators, a Response. */
export function isStreaming(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const body = value as { pipe?: unknown; getReader?: unknown; getStream?: unknown; [Symbol.asyncIterator]?: unknown };
  return (
    typeof body.pipe === 'function' ||
    typeof body.getReader === 'function' ||
    typeof body.getStream === 'function' ||
    typeof body[Symbol.asyncIterator] === 'function' ||
    isGenerator(value) ||
    Object.prototype.toString.call(value) === '[object Response]'
  );
}

function isGenerator(value: object): boolean {
  return Object.prototype.toString.call(value) === '[object Generator]';
}
