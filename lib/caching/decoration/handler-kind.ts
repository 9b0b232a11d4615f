import type { Transport } from '../inputs/call.js';
import type { ClassConstructor } from './decorated-classes.js';
import type { Method } from './method-site.js';

/** Nest's metadata keys. They are literals because some versions of Nest do not export them. */
const META = {
  path: 'path',
  method: 'method',
  controller: '__controller__',
  gateway: 'websockets:is_gateway',
  message: 'websockets:message_mapping',
  pattern: 'microservices:pattern',
  patternHandler: 'microservices:handler_type',
  resolver: 'graphql:resolver_type',
  property: 'graphql:resolve_property',
} as const;

const EVENT_HANDLER = 2;

/** Returns the transports through which Nest calls a method as a handler, with its interceptors. */
export function handlerTransports(implementation: Method, cls: ClassConstructor): Exclude<Transport, 'method'>[] {
  const transports: Exclude<Transport, 'method'>[] = [];
  const has = (key: string) => Reflect.getMetadata(key, implementation) !== undefined;
  if (Reflect.getMetadata(META.controller, cls) === true) {
    if (has(META.path) && has(META.method)) transports.push('http');
    if (has(META.pattern)) transports.push('rpc');
  }
  if (Reflect.getMetadata(META.gateway, cls) === true && has(META.message)) transports.push('ws');
  if (has(META.resolver) && !has(META.property)) transports.push('graphql');
  return transports;
}

/** True for the resolver of a GraphQL field. Nest calls it without interceptors, so its dispatcher answers from the cache. */
export function isFieldResolver(implementation: Method): boolean {
  return Reflect.getMetadata(META.property, implementation) === true;
}

/** Returns why a handler other than HTTP is never cached; undefined if it can be cached. */
export function neverCached(implementation: Method, transport: Transport): string | undefined {
  if (transport === 'rpc' && Reflect.getMetadata(META.patternHandler, implementation) === EVENT_HANDLER) {
    return 'an event handler returns nothing to a caller';
  }
  if (transport !== 'graphql') return undefined;
  const type: unknown = Reflect.getMetadata(META.resolver, implementation);
  if (type === 'Mutation') return 'a mutation changes something';
  return type === 'Subscription' ? 'a subscription answers with a stream' : undefined;
}
