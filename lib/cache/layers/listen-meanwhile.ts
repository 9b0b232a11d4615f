/**
 * Listens for the 'error' events of a client or store of the application until a layer does: one that nobody hears would end the process.
 * @returns a function that stops it.
 */
export function listenMeanwhile(emitter: unknown): () => void {
  const { on, off } = (emitter ?? {}) as Partial<NodeJS.EventEmitter>;
  if (typeof on !== 'function' || typeof off !== 'function') return () => undefined;
  const ignore = (): void => undefined;
  on.call(emitter, 'error', ignore);
  return () => void off.call(emitter as NodeJS.EventEmitter, 'error', ignore);
}
