import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastLane } from './fast-lane.js';

type RequestListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Puts the lane in front of what listens to a server's requests; returns how to take it away. */
export function putInFront(lane: FastLane, server: unknown): (() => void) | undefined {
  if (!isServer(server)) return undefined;
  const behind = server.listeners('request') as RequestListener[];
  if (behind.length === 0) return undefined;
  const front: RequestListener = (request, response) => {
    if (request.httpVersionMajor === 1 && answered(lane, request, response)) return;
    for (const listener of behind) listener.call(server, request, response);
  };
  server.removeAllListeners('request');
  server.on('request', front);
  lane.open();
  return () => {
    lane.close();
    const now = server.listeners('request');
    // Whoever put itself in front meanwhile keeps calling us, and we what is behind.
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
    typeof (server as { removeAllListeners?: unknown }).removeAllListeners === 'function'
  );
}
