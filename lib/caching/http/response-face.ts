import type { ServerResponse } from 'node:http';

/** Header values as Node takes them. */
export type HeaderValue = string | number | readonly string[] | undefined;

/** A response as far as caching reads and writes it, whatever the adapter calls that. */
export interface ResponseFace {
  status(response: object): number;
  setStatus(response: object, status: number): void;
  header(response: object, lowerName: string): HeaderValue;
  setHeader(response: object, lowerName: string, value: string | readonly string[]): void;
  headers(response: object): Readonly<Record<string, HeaderValue>>;
  /** Node's own response. */
  raw(response: object): ServerResponse;
  /**
   * Whether an object is answered as `JSON.stringify` writes it, so that stored text may stand for it: what the route has
   * to say, found once; the result says the rest of each of its responses.
   */
  plainJson(request: object, response: object): (response: object) => boolean;
  /** The content type objects are sent with. */
  readonly jsonType: string;
}

/** Node's own response: what Express hands out, and what other adapters are likely to. */
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

export const expressFace: ResponseFace = {
  ...nodeResponse,
  plainJson(_request, response) {
    const { app } = response as NodeResponse;
    const plain =
      app !== undefined && ['json replacer', 'json spaces', 'json escape'].every((setting) => !app.get(setting));
    return () => plain;
  },
};

/** For adapters that are not known: what is theirs to encode is left to them. */
export const otherFace: ResponseFace = { ...nodeResponse, plainJson: () => () => false };

interface FastifyReply {
  readonly raw: ServerResponse;
  statusCode: number;
  code(status: number): unknown;
  getHeader(name: string): HeaderValue;
  getHeaders(): Record<string, HeaderValue>;
  header(name: string, value: string | readonly string[]): unknown;
}

export const fastifyFace: ResponseFace = {
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

/** Fastify keeps what decides it under symbols of its own, which are found by their descriptions. */
function fastifyPlainJson(request: object, reply: object): (reply: object) => boolean {
  const plain = routeSendsPlainJson(request);
  // Any hook may give a reply a serializer of its own.
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

/** The face of an adapter by its type. */
export function responseFaceOf(adapterType: string | undefined): ResponseFace {
  return adapterType === 'express' ? expressFace : adapterType === 'fastify' ? fastifyFace : otherFace;
}
