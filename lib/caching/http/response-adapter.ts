import type { ServerResponse } from 'node:http';

/** Header values as in Node. */
export type HeaderValue = string | number | readonly string[] | undefined;

/** Reads and writes responses of one HTTP adapter. */
export interface ResponseAdapter {
  status(response: object): number;
  setStatus(response: object, status: number): void;
  header(response: object, lowerName: string): HeaderValue;
  setHeader(response: object, lowerName: string, value: string | readonly string[]): void;
  /** A new object at each call. */
  headers(response: object): Record<string, HeaderValue>;
  /** Node's own response. */
  raw(response: object): ServerResponse;
  /**
   * Decides whether an object is sent as `JSON.stringify` writes it, so that stored text can replace it. The route is checked
   * once; the returned function checks each response.
   */
  plainJson(request: object, response: object): (response: object) => boolean;
  /** The content type with which objects are sent. */
  readonly jsonType: string;
}

/** Node's own response. Express uses it, and unknown adapters probably do. */
interface NodeResponse {
  statusCode: number;
  getHeader(name: string): HeaderValue;
  getHeaders(): Record<string, HeaderValue>;
  setHeader(name: string, value: string | readonly string[]): void;
  readonly app?: { get(setting: string): unknown };
}

const nodeResponse = {
  status: (response: object) => (response as NodeResponse).statusCode,
  setStatus(response: object, status: number) {
    (response as NodeResponse).statusCode = status;
  },
  header: (response: object, lowerName: string) => (response as NodeResponse).getHeader(lowerName),
  setHeader(response: object, lowerName: string, value: string | readonly string[]) {
    (response as NodeResponse).setHeader(lowerName, value);
  },
  headers: (response: object) => (response as NodeResponse).getHeaders(),
  raw: (response: object) => response as ServerResponse,
  jsonType: 'application/json; charset=utf-8',
};

export const expressResponses: ResponseAdapter = {
  ...nodeResponse,
  plainJson(_request, response) {
    const { app } = response as NodeResponse;
    const plain =
      app !== undefined && ['json replacer', 'json spaces', 'json escape'].every((setting) => !app.get(setting));
    return () => plain;
  },
};

/** For responses of unknown adapters, which encode every value themselves. */
export const otherResponses: ResponseAdapter = { ...nodeResponse, plainJson: () => () => false };

interface FastifyReply {
  readonly raw: ServerResponse;
  statusCode: number;
  code(status: number): unknown;
  getHeader(name: string): HeaderValue;
  getHeaders(): Record<string, HeaderValue>;
  header(name: string, value: string | readonly string[]): unknown;
}

export const fastifyResponses: ResponseAdapter = {
  status: (reply) => (reply as FastifyReply).statusCode,
  setStatus(reply, status) {
    (reply as FastifyReply).code(status);
  },
  header: (reply, lowerName) => (reply as FastifyReply).getHeader(lowerName),
  setHeader(reply, lowerName, value) {
    (reply as FastifyReply).header(lowerName, value);
  },
  headers: (reply) => (reply as FastifyReply).getHeaders(),
  raw: (reply) => (reply as FastifyReply).raw,
  jsonType: 'application/json; charset=utf-8',
  plainJson: fastifyPlainJson,
};

/** Fastify stores its serializers under private symbols, which are found by their descriptions. */
function fastifyPlainJson(request: object, reply: object): (reply: object) => boolean {
  const plain = routeSendsPlainJson(request);
  // A hook may set a serializer on a single reply.
  const own = Object.getOwnPropertySymbols(reply).find(({ description }) => description === 'fastify.reply.serializer');
  return plain && own !== undefined ? (one) => (one as Record<symbol, unknown>)[own] == null : () => false;
}

function routeSendsPlainJson(request: object): boolean {
  const { routeOptions } = request as { routeOptions?: { schema?: { response?: unknown } } };
  if (routeOptions?.schema?.response !== undefined) return false;
  const route = hidden(request, 'fastify.context');
  if (typeof route !== 'object' || route === null) return false;
  const { preSerialization } = route as { preSerialization?: unknown };
  const hooked = Array.isArray(preSerialization) ? preSerialization.length > 0 : preSerialization != null;
  return !hooked && hidden(route, 'fastify.replySerializerDefault') == null;
}

function hidden(holder: object, description: string): unknown {
  for (const symbol of Object.getOwnPropertySymbols(holder)) {
    if (symbol.description === description) return (holder as Record<symbol, unknown>)[symbol];
  }
  return undefined;
}

/** Returns the access to responses for a type of adapter. */
export function responseAdapterOf(adapterType: string | undefined): ResponseAdapter {
  return adapterType === 'express' ? expressResponses : adapterType === 'fastify' ? fastifyResponses : otherResponses;
}
