import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastLane } from './fast-lane.js';
import type { InFront } from './fast-lane.options.js';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Puts the lane before the `request` listeners of a server.
 * @param otherListeners returns the listeners that do not belong to the framework.
 * @returns a function that removes the lane.
 */
export function putInFront(
  lane: FastLane,
  server: unknown,
  otherListeners: (listeners: readonly unknown[]) => readonly InFront[],
): (() => void) | undefined {
  if (!isServer(server)) return undefined;
  const behind = server.listeners('request') as RequestListener[];
  if (behind.length === 0) return undefined;
  const front: RequestListener = (request, response) => {
    // If there is another listener by now, it may answer too, so the framework answers the request.
    const alone = server.listenerCount('request') <= 1;
    if (alone && request.httpVersionMajor === 1 && answered(lane, request, response)) return;
    for (const listener of behind) listener.call(server, request, response);
  };
  server.removeAllListeners('request');
  server.on('request', front);
  lane.open(otherListeners(behind));
  return () => {
    lane.close();
    const now = server.listeners('request');
    // If another listener has wrapped this one, it still calls it, and this one calls the original listeners.
    if (!now.includes(front)) return;
    server.removeAllListeners('request');
    for (const listener of now.flatMap((one) => (one === front ? behind : [one as RequestListener])))
      server.on('request', listener);
  };
}

function answered(lane: FastLane, request: IncomingMessage, response: ServerResponse): boolean {
  try {
    return lane.answer(request, response);
  } catch (error) {
    lane.failed(error);
    if (response.headersSent) response.destroy();
    return response.headersSent;
  }
}

function isServer(server: unknown): server is Server {
  return (
    typeof server === 'object' &&
    server !== null &&
    typeof (server as { listeners?: unknown }).listeners === 'function' &&
    typeof (server as { listenerCount?: unknown }).listenerCount === 'function' &&
    typeof (server as { removeAllListeners?: unknown }).removeAllListeners === 'function'
  );
}
