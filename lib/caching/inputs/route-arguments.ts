import type { ExecutionContext } from '@nestjs/common';

/** What a parameter decorator of Nest leaves behind, read from the class it was stored on. */
export interface ParameterMetadata {
  readonly index: number;
  /** Nest's code of the kind of parameter; undefined for a custom decorator. */
  readonly code: number | undefined;
  /** What was given to the decorator: the name of the query parameter, of the header … */
  readonly data: unknown;
  /** Of a custom decorator. */
  readonly factory: ((data: unknown, context: ExecutionContext) => unknown) | undefined;
}

/** `@nestjs/common/internal` is not there in Nest 11, so its metadata keys are written out. */
const ROUTE_ARGUMENTS = '__routeArguments__';
const CUSTOM = '__customRouteArgs__';

/** Parameters as their decorators declare them, in their order; undefined where none is decorated. */
export function declaredParameters(cls: ClassRef, method: string | symbol): ParameterMetadata[] | undefined {
  const stored: unknown = Reflect.getMetadata(ROUTE_ARGUMENTS, parametersHost(cls, method), method as string);
  if (stored === undefined || stored === null) return undefined;
  return Object.entries(stored as Record<string, { index: number; data?: unknown; factory?: unknown }>)
    .map(([key, { index, data, factory }]) => ({
      index,
      code: key.includes(CUSTOM) ? undefined : Number(key.split(':')[0]),
      data,
      factory: typeof factory === 'function' ? (factory as ParameterMetadata['factory']) : undefined,
    }))
    .sort((one, other) => one.index - other.index);
}

export interface ClassRef {
  readonly name: string;
  readonly prototype: object;
}

/** How many parameters a method declares, defaults and rest included where the compiler wrote their types down. */
export function arity(cls: ClassRef, method: string | symbol, implementation: (...args: never[]) => unknown): number {
  return Math.max(implementation.length, parameterTypes(cls, method).length);
}

/** Types of a method's parameters, where the compiler wrote them down. */
export function parameterTypes(cls: ClassRef, method: string | symbol): readonly unknown[] {
  const types: unknown = Reflect.getMetadata('design:paramtypes', cls.prototype, method as string);
  return Array.isArray(types) ? types : [];
}

/** The class the parameter decorators of a method stored their metadata on, which a mixin may have copied it from. */
function parametersHost(cls: ClassRef, method: string | symbol): object {
  const { constructor } = cls.prototype as { constructor?: unknown };
  if (typeof constructor !== 'function') return cls;
  const declared = (constructor.prototype as Record<string | symbol, unknown> | undefined)?.[method];
  return declared === (cls.prototype as Record<string | symbol, unknown>)[method] ? constructor : cls;
}
