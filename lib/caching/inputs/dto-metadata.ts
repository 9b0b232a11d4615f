import { createRequire } from 'node:module';
import { ValidationPipe } from '@nestjs/common';
import { installedRequire } from '../../cache/own-file.js';
import type { ClassRef } from './route-arguments.js';

/** class-validator's record of one decorator. */
interface ValidationMetadata {
  readonly propertyName: string;
  readonly type: string;
  readonly groups?: readonly string[];
}

interface ValidationStorage {
  getTargetValidationMetadatas(
    target: unknown,
    schema: undefined,
    always: boolean,
    strictGroups: boolean,
  ): ValidationMetadata[];
}

interface ExposeMetadata {
  readonly options?: { readonly name?: string; readonly groups?: readonly string[] };
}

interface TypeMetadata {
  readonly typeFunction?: (...args: never[]) => unknown;
}

/** class-transformer's records of all decorators. */
interface TransformStorage {
  getExposedMetadatas(target: unknown): ExposeMetadata[];
  getExcludedMetadatas(target: unknown): ExposeMetadata[];
  findTypeMetadata(target: unknown, property: string): TypeMetadata | undefined;
  findTransformMetadatas(target: unknown, property: string, type: number): unknown[];
}

/** class-transformer's TransformationType.PLAIN_TO_CLASS. */
const PLAIN_TO_CLASS = 0;
const SIMPLE: readonly unknown[] = [String, Number, Boolean, Date, BigInt];

/** Returns the names of a class's properties that have decorators of class-validator. */
export function validatedFields(cls: ClassRef): string[] {
  return [...new Set(validationMetadata(cls).map(({ propertyName }) => propertyName))];
}

/**
 * True if an instance that a whitelisting pipe creates depends only on the validated fields, each as it was sent: no field has
 * another name, a transformation, groups or a nested class, and no setter accepts an undeclared field.
 */
export function isPlainDto(cls: ClassRef, fields: readonly string[]): boolean {
  const storage = transformStorage();
  if (storage === undefined) return false;
  const groups = validationMetadata(cls).some((one) => one.type === 'nestedValidation' || hasGroups(one.groups));
  const exposed = [...storage.getExposedMetadatas(cls), ...storage.getExcludedMetadatas(cls)];
  if (groups || exposed.some(({ options }) => options?.name !== undefined || hasGroups(options?.groups))) return false;
  return !hasSetters(cls) && fields.every((field) => isPlainField(storage, cls, field));
}

function isPlainField(storage: TransformStorage, cls: ClassRef, field: string): boolean {
  if (storage.findTransformMetadatas(cls, field, PLAIN_TO_CLASS).length > 0) return false;
  const typeFunction = storage.findTypeMetadata(cls, field)?.typeFunction;
  if (typeFunction === undefined) return true;
  // A function with a parameter may choose the type by another field.
  return typeFunction.length === 0 && SIMPLE.includes(typeFunction());
}

function validationMetadata(cls: ClassRef): ValidationMetadata[] {
  // All copies of class-validator in one process share this metadata.
  const { classValidatorMetadataStorage: storage } = globalThis as {
    classValidatorMetadataStorage?: ValidationStorage;
  };
  return storage?.getTargetValidationMetadatas(cls, undefined, false, false) ?? [];
}

/**
 * Returns the metadata of the copy of class-transformer that Nest's pipes use. Undefined if that copy cannot be found, for
 * instance in a bundle that contains Nest.
 */
function transformStorage(): TransformStorage | undefined {
  try {
    const require = installedRequire();
    const common = require('@nestjs/common') as { ValidationPipe?: unknown };
    if (common.ValidationPipe !== ValidationPipe) return undefined;
    const ofNest = createRequire(require.resolve('@nestjs/common'));
    const storage = ofNest('class-transformer/cjs/storage.js') as { defaultMetadataStorage?: TransformStorage };
    return storage.defaultMetadataStorage;
  } catch {
    return undefined;
  }
}

function hasGroups(groups: readonly string[] | undefined): boolean {
  return groups !== undefined && groups.length > 0;
}

function hasSetters(cls: ClassRef): boolean {
  for (
    let level: object | null = cls.prototype;
    level !== null && level !== Object.prototype;
    level = Object.getPrototypeOf(level) as object | null
  ) {
    const own = Object.values(Object.getOwnPropertyDescriptors(level));
    if (own.some(({ set }) => set !== undefined)) return true;
  }
  return false;
}
