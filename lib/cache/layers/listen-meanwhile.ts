/**
 * Listens for 'error' events of a client or store of the application until a layer listens. Without a listener, such an event would end the
 * process.
 * @returns a function that stops listening.
 */
export function listenMeanwhile(emitter: unknown): () => void {
  const { on, off } = (emitter ?? {}) as Partial<NodeJS.EventEmitter>;
  if (typeof on !== 'function' || typeof off !== 'function') return () => undefined;
  const ignore = (): void => undefined;
  on.call(emitter, 'error', ignore);
  return () => void off.call(emitter as NodeJS.EventEmitter, 'error', ignore);
}
