/**
 * Finds the inputs that Nest's own pipes parse. A handler with `@Param('id', ParseIntPipe)` gets the same value for
 *   `/products/01` and `/products/1`, so both have one key: keys, tags and invalidations contain the parsed value. This applies
 *   if every declaration of the input has the same pipes and all of them are known. A value that a pipe would reject stays as
 *   the caller sent it, and so does every other input.
 */
import { isDeepStrictEqual } from 'node:util';
import { DefaultValuePipe, ParseBoolPipe, ParseFloatPipe, ParseIntPipe, type ValidationPipe } from '@nestjs/common';
import type { DeclaredInput, InputParser } from './declared-inputs.js';
import { isExactly, isStockValidation, type ParameterPipes, type PipedHandler, pipesOf } from './handler-pipes.js';

/** Adds parsers to the inputs that Nest's own pipes parse. */
export function parsedInputs(inputs: readonly DeclaredInput[], handler: PipedHandler): DeclaredInput[] {
  // A handler that gets the whole request may read the raw text. A custom decorator does not count as one that reads it.
  if (inputs.some(({ holdsOthers, parameter }) => holdsOthers && parameter.code !== undefined)) return [...inputs];
  const chains = new Map(inputs.map((input) => [input, chainOf(input, handler)]));
  return inputs.map((input) => {
    const chain = chains.get(input);
    const others = inputs.filter((other) => other !== input && overlaps(other.path, input.path));
    if (chain === undefined || !others.every((other) => isDeepStrictEqual(chains.get(other)?.pipes, chain.pipes))) {
      return input;
    }
    const { parse, typed } = chain;
    return { ...input, parser: { parse, typed } };
  });
}

/** One pipe of a chain. */
interface Step {
  /** Returns {@link REJECTED} if the pipe throws. */
  readonly parse: (value: unknown) => unknown;
  /** The pipe and the options that change its results. Steps with equal ones parse every value equally. */
  readonly pipe: readonly unknown[];
  /** True if every result is a number, a boolean or another value that is not text. */
  readonly typed: boolean;
}

interface Chain extends InputParser {
  readonly pipes: readonly (readonly unknown[])[];
}

const REJECTED = Symbol('rejected');

function chainOf({ parameter, path }: DeclaredInput, handler: PipedHandler): Chain | undefined {
  if (!path.includes('.') || parameter.pipes.length === 0) return undefined;
  const pipes = pipesOf(handler, parameter);
  if (pipes === undefined) return undefined;
  const own = pipes.own.map((pipe) => stockStep(pipe));
  if (!own.some((step) => step !== undefined)) return undefined;
  const steps = [
    ...pipes.around.map((pipe) => validationStep(pipe, pipes, parameter.data)),
    ...pipes.own.map((pipe, index) => own[index] ?? validationStep(pipe, pipes, parameter.data)),
  ];
  const known = steps.filter((step) => step !== undefined);
  if (known.length < steps.length) return undefined;
  return {
    pipes: known.map(({ pipe }) => pipe),
    typed: known.some(({ typed }) => typed),
    parse: (value) => {
      let parsed = value;
      for (const step of known) {
        parsed = step.parse(parsed);
        if (parsed === REJECTED) return value;
      }
      // `/products/-0` and `/products/0` have one key.
      return parsed === 0 ? 0 : parsed;
    },
  };
}

/** True if two paths can name the same input: `query` contains `query.page`. */
function overlaps(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

/** The check of a value in one of Nest's pipes, and the only option that changes its result. */
interface ParsePipe {
  readonly options?: { readonly optional?: boolean };
  isNumeric?(value: unknown): boolean;
  isTrue?(value: unknown): boolean;
  isFalse?(value: unknown): boolean;
}

function stockStep(pipe: object | undefined): Step | undefined {
  if (isExactly(pipe, DefaultValuePipe))
    return defaultStep((pipe as object as { defaultValue?: unknown }).defaultValue);
  if (isExactly(pipe, ParseIntPipe))
    return numberStep(pipe as object as ParsePipe, 'int', (text) => parseInt(text, 10));
  if (isExactly(pipe, ParseFloatPipe)) return numberStep(pipe as object as ParsePipe, 'float', parseFloat);
  return isExactly(pipe, ParseBoolPipe) ? booleanStep(pipe as object as ParsePipe) : undefined;
}

function numberStep(pipe: ParsePipe, name: string, parse: (text: string) => number): Step | undefined {
  // Releases of Nest differ in which texts are numbers, so use the pipe's own check.
  if (typeof pipe.isNumeric !== 'function') return undefined;
  return parseStep(pipe, name, (value) => (pipe.isNumeric!(value) ? parse(String(value)) : REJECTED));
}

function booleanStep(pipe: ParsePipe): Step | undefined {
  if (typeof pipe.isTrue !== 'function' || typeof pipe.isFalse !== 'function') return undefined;
  return parseStep(pipe, 'boolean', (value) => pipe.isTrue!(value) || (pipe.isFalse!(value) ? false : REJECTED));
}

function parseStep({ options }: ParsePipe, name: string, parse: Step['parse']): Step {
  const optional = options?.optional === true;
  return {
    pipe: [name, optional],
    typed: true,
    parse: (value) => (optional && (value === undefined || value === null) ? value : parse(value)),
  };
}

function defaultStep(value: unknown): Step | undefined {
  // Steps are compared by these options, and instances may have hidden state.
  if (typeof value === 'function' || (typeof value === 'object' && value !== null && !isPlain(value))) return undefined;
  return {
    pipe: ['default', value],
    typed: false,
    parse: (given) => (given === undefined || given === null || Number.isNaN(given) ? value : given),
  };
}

function isPlain(value: object): boolean {
  return [Object.prototype, Array.prototype, null].includes(Object.getPrototypeOf(value) as object | null);
}

const PRIMITIVES: readonly unknown[] = [undefined, null, String, Boolean, Number, Array, Object, Buffer, Date];

interface PrimitiveValidation {
  readonly isTransformEnabled?: boolean;
  readonly expectedType?: unknown;
  transformPrimitive?(value: unknown, metadata: object): unknown;
}

/** Returns the step of Nest's ValidationPipe for a parameter whose type is not a class. */
function validationStep(pipe: object | undefined, { metatype, type }: ParameterPipes, data: unknown): Step | undefined {
  if (!isStockValidation(pipe)) return undefined;
  const { isTransformEnabled, expectedType } = pipe as object as PrimitiveValidation;
  if (expectedType !== undefined || !PRIMITIVES.includes(metatype)) return undefined;
  if (isTransformEnabled !== true) return { pipe: ['validation'], typed: false, parse: (value) => value };
  const { transformPrimitive } = pipe as object as PrimitiveValidation;
  if (typeof transformPrimitive !== 'function') return undefined;
  return {
    pipe: ['transform', metatype],
    typed: metatype === Number || metatype === Boolean,
    parse: (value) => transformPrimitive.call(pipe as ValidationPipe, value, { metatype, type, data }),
  };
}
