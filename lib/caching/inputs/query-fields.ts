/**
 * Decides which parameters of a whole query are in the key. `@Query()` accepts all parameters, so each invented one makes
 * another key. With a whitelisting ValidationPipe only the fields of the declared class reach the handler, so only they are in
 * the key. Without such a pipe, the handler can list the parameters in its option `query`.
 */
import type { ValidationPipe } from '@nestjs/common';
import type { Call } from './call.js';
import type { DeclaredInput } from './declared-inputs.js';
import { isPlainDto, validatedFields } from './dto-metadata.js';
import { isStockValidation, type ParameterPipes, type PipedHandler, pipesOf } from './handler-pipes.js';
import type { ClassRef } from './route-arguments.js';

/** Reduces a whole query in the inputs to the parameters that can reach the handler. */
export function narrowedQuery(
  inputs: readonly DeclaredInput[],
  handler: PipedHandler,
  named: readonly string[] | undefined,
): DeclaredInput[] {
  const fields = named ?? fieldsOf(inputs, handler);
  if (fields === undefined) return [...inputs];
  const declared = inputs.flatMap(({ path }) => (path.startsWith('query.') ? [path.slice('query.'.length)] : []));
  const names = new Set([...fields, ...declared]);
  return inputs.map((input) => (input.path === 'query' ? { ...input, ...only(names, input) } : input));
}

/** Returns the fields of a query's class, for a hint; empty if there are none. */
export function suggestedFields(inputs: readonly DeclaredInput[], handler: PipedHandler): readonly string[] {
  const whole = inputs.find(({ path }) => path === 'query');
  const dto = whole && dtoOf(pipesOf(handler, whole.parameter));
  return dto === undefined ? [] : validatedFields(dto);
}

function only(names: ReadonlySet<string>, { read }: DeclaredInput): Pick<DeclaredInput, 'read' | 'narrowed'> {
  return {
    narrowed: true,
    read: (call: Call) => {
      const query = read(call);
      return typeof query === 'object' && query !== null ? picked(query as Record<string, unknown>, names) : query;
    },
  };
}

function picked(query: Readonly<Record<string, unknown>>, names: ReadonlySet<string>): Record<string, unknown> {
  const found = Object.create(null) as Record<string, unknown>;
  // class-validator treats a parameter with the name of an Object.prototype member as declared.
  for (const name of Object.keys(query)) if (names.has(name) || name in Object.prototype) found[name] = query[name];
  return found;
}

/** Returns the fields that reach the handler; undefined if other parameters may reach it too. */
function fieldsOf(inputs: readonly DeclaredInput[], handler: PipedHandler): readonly string[] | undefined {
  const whole = inputs.filter(({ path }) => path === 'query');
  if (whole.length === 0 || inputs.some(({ holdsOthers }) => holdsOthers)) return undefined;
  const fields = whole.map(({ parameter }) => whitelisted(pipesOf(handler, parameter)));
  return fields.includes(undefined) ? undefined : fields.flatMap((names) => names ?? []);
}

/** Returns the fields that pass the parameter's pipes; undefined if other parameters may pass too. */
function whitelisted(pipes: ParameterPipes | undefined): readonly string[] | undefined {
  const dto = dtoOf(pipes);
  if (pipes === undefined || dto === undefined) return undefined;
  for (const pipe of [...pipes.around, ...pipes.own]) {
    // A custom pipe may read every parameter of the query.
    if (!isStockValidation(pipe) || !takesFieldsAlone(pipe)) return undefined;
    if (!strips(pipe)) continue;
    const fields = validatedFields(dto);
    return fields.length > 0 && isPlainDto(dto, fields) ? fields : undefined;
  }
  return undefined;
}

interface ValidationSettings {
  readonly validatorOptions?: {
    readonly whitelist?: boolean;
    readonly forbidNonWhitelisted?: boolean;
    readonly groups?: readonly string[];
    readonly strictGroups?: boolean;
  };
  readonly transformOptions?: Readonly<Record<string, unknown>>;
  readonly expectedType?: unknown;
}

/** Options with which class-transformer copies each field from the property of the same name. */
const HARMLESS = new Set([
  'enableImplicitConversion',
  'exposeDefaultValues',
  'exposeUnsetFields',
  'enableCircularCheck',
]);

function takesFieldsAlone(pipe: ValidationPipe): boolean {
  const { validatorOptions = {}, transformOptions = {}, expectedType } = pipe as object as ValidationSettings;
  const { groups = [], strictGroups, forbidNonWhitelisted } = validatorOptions;
  if (expectedType !== undefined || groups.length > 0 || strictGroups === true) return false;
  // If the pipe rejects unknown parameters, a request with one must not be a hit.
  if (forbidNonWhitelisted === true) return false;
  return Object.entries(transformOptions).every(([name, value]) => value === undefined || HARMLESS.has(name));
}

function strips(pipe: ValidationPipe): boolean {
  return (pipe as object as ValidationSettings).validatorOptions?.whitelist === true;
}

const NOT_CLASSES: readonly unknown[] = [String, Boolean, Number, Array, Object, Buffer, Date];

/** Returns the class of a parameter if a ValidationPipe validates it. */
function dtoOf(pipes: ParameterPipes | undefined): ClassRef | undefined {
  const metatype = pipes?.metatype;
  return typeof metatype === 'function' && !NOT_CLASSES.includes(metatype)
    ? (metatype as object as ClassRef)
    : undefined;
}
