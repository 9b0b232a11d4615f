import type { Call, Reader, Transport } from './call.js';
import { arity, type ClassRef, declaredParameters, type ParameterMetadata } from './route-arguments.js';

/** One parameter of a handler, as an input of its key. */
export interface DeclaredInput {
  readonly index: number;
  /** Its source: `query.page`, `params.id`, `query`, `body`, `headers.accept-language`, `args.id`, `data`, or its number. */
  readonly path: string;
  /** Its notation in messages: `@Query('page')`. */
  readonly written: string;
  /** Why it may identify a caller; undefined if it cannot. */
  readonly identifying: string | undefined;
  /** True if it may contain other inputs of the call, as the whole request or the value of a custom decorator may. */
  readonly holdsOthers: boolean;
  /** Reads its value as the caller sent it. For a narrowed query, it reads only the parameters that can reach the handler. */
  readonly read: Reader;
  readonly parameter: ParameterMetadata;
  /** Its parser, if Nest's own pipes parse it. Keys contain the parsed value. */
  readonly parser?: InputParser;
  /** True for a whole query if `read` returns only a part of it. */
  readonly narrowed?: boolean;
}

/** Parses an input's value as its pipes do. */
export interface InputParser {
  /** Parses a value. A value that the pipes would reject is returned unchanged. */
  readonly parse: (value: unknown) => unknown;
  /** True if the results are numbers, booleans or other values that are not text. */
  readonly typed: boolean;
}

/**
 * Lists the declared inputs of an HTTP, RPC, WebSocket or GraphQL handler. The kinds are listed by transport, because Nest's
 * codes differ between transports. An input that is not known to be safe counts as identifying.
 */
export function declaredInputs(
  transport: Exclude<Transport, 'method'>,
  cls: ClassRef,
  method: string | symbol,
  implementation: (...args: never[]) => unknown,
): DeclaredInput[] {
  const parameters = declaredParameters(cls, method);
  if (parameters !== undefined) return parameters.map((parameter) => inputOf(transport, parameter));
  return undecorated(transport, arity(cls, method, implementation));
}

function inputOf(transport: Exclude<Transport, 'method'>, parameter: ParameterMetadata): DeclaredInput {
  if (parameter.code === undefined) return customInput(parameter);
  const kinds: Record<number, InputKind | undefined> = KINDS[transport];
  const kind = kinds[parameter.code];
  if (kind === undefined) {
    return whole(parameter, `a parameter of unknown kind ${parameter.code}`, 'its kind is not known', nothing);
  }
  return kind(parameter);
}

type InputKind = (parameter: ParameterMetadata) => DeclaredInput;

const HTTP: Record<number, InputKind> = {
  0: (p) => whole(p, '@Req()', 'the request identifies its caller', (call) => call.args[0]),
  1: (p) => input(p, '@Res()', 'the response belongs to one caller', (call) => call.args[1]),
  2: (p) => input(p, '@Next()', 'what runs next is not known', (call) => call.args[2]),
  3: (p) => named(p, 'body', '@Body'),
  4: (p) => named(p, 'query', '@Query'),
  5: (p) => named(p, 'params', '@Param'),
  6: (p) =>
    typeof p.data === 'string'
      ? header(p, p.data)
      : input(p, '@Headers()', 'all headers together identify the caller', (call) => request(call).headers),
  7: (p) => input(p, '@Session()', 'a session belongs to one caller', (call) => request(call).session),
  8: (p) => input(p, '@UploadedFile()', 'an upload cannot be part of a key', nothing),
  9: (p) => input(p, '@UploadedFiles()', 'uploads cannot be part of a key', nothing),
  10: (p) => named(p, 'hosts', '@HostParam'),
  11: (p) => input(p, '@Ip()', 'an address belongs to one caller', (call) => request(call).ip),
  12: (p) => part(p, 'rawBody', '@RawBody()', (call) => request(call).rawBody),
  14: (p) => input(p, written('@Cookies', p), 'a cookie belongs to one caller', cookie('cookies', p)),
  15: (p) => input(p, written('@SignedCookies', p), 'a cookie belongs to one caller', cookie('signedCookies', p)),
};

const RPC: Record<number, InputKind> = {
  3: (p) => payload(p, '@Payload', 0),
  6: (p) => input(p, '@Ctx()', 'the context belongs to one message', (call) => call.args[1]),
  9: (p) => input(p, '@GrpcCall()', 'the call belongs to one caller', (call) => call.args[2]),
};

const WS: Record<number, InputKind> = {
  0: (p) => input(p, '@ConnectedSocket()', 'a socket belongs to one caller', (call) => call.args[0]),
  3: (p) => payload(p, '@MessageBody', 1),
  13: (p) => input(p, '@Ack()', 'an acknowledgement belongs to one message', nothing),
};

const GRAPHQL: Record<number, InputKind> = {
  // The parent of a root resolver is the server's own root value.
  0: (p) => part(p, 'root', '@Root()', (call) => call.args[0]),
  1: (p) =>
    whole(p, '@Context()', 'the context contains the request and its caller', (call) => at(call.args[2], p.data)),
  2: (p) => whole(p, '@Info()', 'it contains the whole query', (call) => call.args[3]),
  3: (p) => named(p, 'args', '@Args', (call) => call.args[1]),
};

const KINDS = { http: HTTP, rpc: RPC, ws: WS, graphql: GRAPHQL };

/**
 * Lists the inputs of a handler without parameter decorators. Nest passes no arguments to such HTTP handlers, the payload to
 * RPC handlers, and all arguments to others.
 */
function undecorated(transport: Exclude<Transport, 'method'>, parameters: number): DeclaredInput[] {
  const codes = { http: [], rpc: [3], ws: [0, 3, 13], graphql: [0, 3, 1, 2] }[transport];
  return codes
    .slice(0, parameters)
    .map((code, index) => inputOf(transport, { index, code, data: undefined, pipes: [], factory: undefined }));
}

function customInput(parameter: ParameterMetadata): DeclaredInput {
  const { factory, data, index } = parameter;
  return whole(parameter, `the custom decorator of parameter ${index}`, 'its value is not known', (call) =>
    factory === undefined || call.execution === undefined ? undefined : factory(data, call.execution),
  );
}

function input(parameter: ParameterMetadata, how: string, why: string, read: Reader): DeclaredInput {
  return { ...whole(parameter, how, why, read), holdsOthers: false };
}

/** An {@link input} that may contain other inputs. */
function whole(parameter: ParameterMetadata, how: string, why: string, read: Reader): DeclaredInput {
  const { index } = parameter;
  return { index, path: String(index), written: how, identifying: why, holdsOthers: true, read, parameter };
}

function part(parameter: ParameterMetadata, path: string, how: string, read: Reader): DeclaredInput {
  return { index: parameter.index, path, written: how, identifying: undefined, holdsOthers: false, read, parameter };
}

function named(
  parameter: ParameterMetadata,
  root: 'body' | 'query' | 'params' | 'hosts' | 'args',
  decorator: string,
  rootOf: Reader = (call) => request(call)[root],
): DeclaredInput {
  const { data } = parameter;
  if (typeof data !== 'string' || data === '') return part(parameter, root, written(decorator, parameter), rootOf);
  return part(parameter, `${root}.${data}`, written(decorator, parameter), (call) => at(rootOf(call), data));
}

function header(parameter: ParameterMetadata, name: string): DeclaredInput {
  const lower = name.toLowerCase();
  return part(parameter, `headers.${lower}`, written('@Headers', parameter), (call) => headers(call)[lower]);
}

function payload(parameter: ParameterMetadata, decorator: string, position: number): DeclaredInput {
  const { data } = parameter;
  const path = typeof data === 'string' && data !== '' ? `data.${data}` : 'data';
  return part(parameter, path, written(decorator, parameter), (call) => at(call.args[position], data));
}

function cookie(kind: 'cookies' | 'signedCookies', { data }: ParameterMetadata): Reader {
  return (call) => at(request(call)[kind], data);
}

function at(value: unknown, name: unknown): unknown {
  if (typeof name !== 'string' || name === '') return value;
  return value === undefined || value === null ? undefined : (value as Record<string, unknown>)[name];
}

function request(call: Call): Record<string, unknown> {
  return call.args[0] as Record<string, unknown>;
}

function headers(call: Call): Record<string, unknown> {
  return request(call).headers as Record<string, unknown>;
}

function nothing(): undefined {
  return undefined;
}

function written(decorator: string, { data }: ParameterMetadata): string {
  return typeof data === 'string' ? `${decorator}('${data}')` : `${decorator}()`;
}
