import { ValidationPipe } from '@nestjs/common';
import type { ApplicationConfig } from '@nestjs/core';
import type { Module } from '@nestjs/core/injector/module.js';
import type { Transport } from './call.js';
import { parameterTypes, type ClassRef, type ParameterMetadata } from './route-arguments.js';

/** The part of a handler that determines its pipes. */
export interface PipedHandler {
  readonly transport: Exclude<Transport, 'method'>;
  readonly cls: ClassRef;
  readonly method: string | symbol;
  /** The function that Nest calls, with the metadata of `@UsePipes`. */
  readonly implementation: object;
  readonly module: Module;
  readonly config: ApplicationConfig;
}

/** The pipes of one parameter of a handler, in order. */
export interface ParameterPipes {
  /** The pipes of the application, the class and the method; undefined for a pipe that exists only during a request. */
  readonly around: readonly (object | undefined)[];
  /** The pipes of the parameter. */
  readonly own: readonly (object | undefined)[];
  /** The type in the compiler's metadata. */
  readonly metatype: unknown;
  /** Nest's name of the kind of parameter. */
  readonly type: 'body' | 'query' | 'param';
}

/**
 * Nest's codes of the parameters to which it applies pipes, by transport. A pipe on another parameter, such as a header, has no
 * effect.
 */
const PIPED: Record<PipedHandler['transport'], Readonly<Record<number, ParameterPipes['type']>>> = {
  http: { 3: 'body', 4: 'query', 5: 'param' },
  graphql: { 3: 'body' },
  ws: { 3: 'body' },
  // A hybrid application's microservice may have its own global pipes, which are not visible here.
  rpc: {},
};

const PIPES = '__pipes__';

/** Returns the pipes of a parameter; undefined if Nest applies no pipes to its kind. */
export function pipesOf(handler: PipedHandler, parameter: ParameterMetadata): ParameterPipes | undefined {
  const { transport, cls, method, implementation, module, config } = handler;
  const type = parameter.code === undefined ? undefined : PIPED[transport][parameter.code];
  if (type === undefined) return undefined;
  const declared = [...metadataOf(cls), ...metadataOf(implementation)];
  // Request-scoped pipes do not exist yet.
  const perRequest = config.getGlobalRequestPipes().map(() => undefined);
  return {
    around: [...config.getGlobalPipes(), ...perRequest, ...declared.map((pipe) => instanceOf(pipe, module))],
    own: parameter.pipes.map((pipe) => instanceOf(pipe, module)),
    metatype: parameterTypes(cls, method)[parameter.index],
    type,
  };
}

/** True for Nest's own ValidationPipe; a subclass may do anything. */
export function isStockValidation(pipe: object | undefined): pipe is ValidationPipe {
  return isExactly(pipe, ValidationPipe);
}

/** True for an instance of the class itself, not of a subclass, with an unchanged `transform`. */
export function isExactly<T extends object>(
  pipe: object | undefined,
  cls: abstract new (...args: never[]) => T,
): pipe is T {
  return pipe !== undefined && Object.getPrototypeOf(pipe) === cls.prototype && !Object.hasOwn(pipe, 'transform');
}

function metadataOf(target: object): unknown[] {
  const pipes: unknown = Reflect.getMetadata(PIPES, target);
  return Array.isArray(pipes) ? pipes : [];
}

function instanceOf(pipe: unknown, module: Module): object | undefined {
  if (typeof pipe !== 'function') return typeof pipe === 'object' && pipe !== null ? pipe : undefined;
  const wrapper = module.injectables.get(pipe as never);
  if (wrapper === undefined || !wrapper.isDependencyTreeStatic() || wrapper.isTransient) return undefined;
  const instance: unknown = wrapper.instance;
  return typeof instance === 'object' && instance !== null ? instance : undefined;
}
