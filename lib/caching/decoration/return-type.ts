import type { ClassConstructor } from './decorated-classes.js';

/** The class that a method is declared to return; undefined without metadata, and for types without a class. */
export function returnType(cls: ClassConstructor, method: string | symbol): ClassConstructor | undefined {
  const type: unknown = Reflect.getMetadata('design:returntype', cls.prototype as object, method as string);
  if (typeof type !== 'function' || typeof type.prototype !== 'object' || type.prototype === null) return undefined;
  return type as ClassConstructor;
}
