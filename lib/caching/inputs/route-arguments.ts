import type { ExecutionContext } from '@nestjs/common';

/** The metadata of one of Nest's parameter decorators. */
export interface ParameterMetadata {
  readonly index: number;
  /** Nest's code for the kind of parameter; undefined for a custom decorator. */
  readonly code: number | undefined;
  /** The argument of the decorator: the name of the query parameter, of the header … */
  readonly data: unknown;
  /** The pipes of the decorator: instances and classes. */
  readonly pipes: readonly unknown[];
  /** The function of a custom decorator. */
  readonly factory: ((data: unknown, context: ExecutionContext) => unknown) | undefined;
}

/** Nest 11 has no `@nestjs/common/internal`, so its metadata keys are literals here. */
const ROUTE_ARGUMENTS = '__routeArguments__';
const CUSTOM = '__customRouteArgs__';

/** Returns the parameters that have decorators, in order; undefined if none has. */
export function declaredParameters(cls: ClassRef, method: string | symbol): ParameterMetadata[] | undefined {
  const stored: unknown = Reflect.getMetadata(ROUTE_ARGUMENTS, parametersHost(cls, method), method as string);
  if (stored === undefined || stored === null) return undefined;
  return Object.entries(stored as Record<string, { index: number; data?: unknown; pipes?: unknown; factory?: unknown }>)
    .map(([key, { index, data, pipes, factory }]) => ({
      index,
      code: key.includes(CUSTOM) ? undefined : Number(key.split(':')[0]),
      data,
      pipes: Array.isArray(pipes) ? pipes : [],
      factory: typeof factory === 'function' ? (factory as ParameterMetadata['factory']) : undefined,
    }))
    .sort((one, other) => one.index - other.index);
}

export interface ClassRef {
  readonly name: string;
  readonly prototype: object;
}

/** Returns the number of a method's parameters. With compiler metadata, this includes default and rest parameters. */
export function arity(cls: ClassRef, method: string | symbol, implementation: (...args: never[]) => unknown): number {
  return Math.max(implementation.length, parameterTypes(cls, method).length);
}

/** Returns the types of a method's parameters from compiler metadata. */
export function parameterTypes(cls: ClassRef, method: string | symbol): readonly unknown[] {
  const types: unknown = Reflect.getMetadata('design:paramtypes', cls.prototype, method as string);
  return Array.isArray(types) ? types : [];
}

/** Returns the class that stores the metadata of a method's parameter decorators, also for a method that a mixin copied. */
function parametersHost(cls: ClassRef, method: string | symbol): object {
  const { constructor } = cls.prototype as { constructor?: unknown };
  if (typeof constructor !== 'function') return cls;
  const declared = (constructor.prototype as Record<string | symbol, unknown> | undefined)?.[method];
  return declared === (cls.prototype as Record<string | symbol, unknown>)[method] ? constructor : cls;
}
