import type { CacheLog } from '../../cache/base/cache-log.js';
import { NotKept } from '../../cache/base/observer.js';
import type { AnnotatedLoadContext } from '../../cache/policies/read-plan.js';
import type { CachedOptions } from '../options/cached.options.js';
import type { Call, Reader, Transport } from '../inputs/call.js';
import type { DeclaredInput, InputParser } from '../inputs/declared-inputs.js';
import { type InputPath, inputPath, walk } from '../inputs/input-path.js';
import { encodeValue } from '../keys/argument-encoding.js';
import { type KeyTemplate, keyTemplate } from '../keys/key-template.js';
import { textsOf } from '../keys/value-forms.js';

/** Text with `{…}` filled from a call and its result. */
export class FilledTemplate {
  readonly template: KeyTemplate;
  /** One path for each placeholder; undefined for a part of the result. */
  readonly #paths: readonly (InputPath | undefined)[];
  readonly #resultPaths: readonly (readonly string[])[];

  /** @throws CacheError `INVALID_TEMPLATE` */
  constructor(text: string, transport: Transport, inputs: readonly DeclaredInput[], owner: string) {
    this.template = keyTemplate(text);
    const { paths } = this.template;
    this.#paths = paths.map((path) => (isOfResult(path) ? undefined : inputPath(path, transport, inputs, owner)));
    this.#resultPaths = paths.map((path) => path.split('.').slice(1));
  }

  /** One parser for each placeholder, from Nest's own pipes. */
  get parsers(): readonly (InputParser['parse'] | undefined)[] {
    return this.#paths.map((path) => path?.parser?.parse);
  }

  /** Returns the values in order, as the handler gets them. Custom decorators may return a promise. */
  values(call: Call, result: unknown): Promise<unknown[]> {
    return this.#read(call, result, ({ read }) => read);
  }

  /** Returns the values in order, as callers send them. */
  rawValues(call: Call, result: unknown): Promise<unknown[]> {
    return this.#read(call, result, ({ readRaw }) => readRaw);
  }

  /** Fills the template. @param write encodes a value. */
  fill(values: readonly unknown[], write: (value: unknown) => string): string {
    const { literals } = this.template;
    let text = literals[0]!;
    for (let index = 0; index < values.length; index++) text += write(values[index]) + literals[index + 1]!;
    return text;
  }

  /** Returns the text for an entry with these inputs in its key; undefined if an input is missing. */
  fromInputs(inputs: ReadonlyMap<string, string>, result: unknown): string | undefined {
    const values: unknown[] = [];
    for (const [index, path] of this.#paths.entries()) {
      const value = path === undefined ? walk(result, this.#resultPaths[index]!) : inputs.get(path.name);
      if (path !== undefined && value === undefined) return undefined;
      values.push(value);
    }
    return this.fill(values, tagText);
  }

  /**
   * Returns the first placeholder whose value is required and missing. A part of a query, a whole argument and a placeholder
   * marked with `?` are not required.
   */
  missingAmong(values: readonly unknown[]): string | undefined {
    const { paths, optional } = this.template;
    return paths.find(
      (_, index) => values[index] === undefined && optional[index] === false && mustBeThere(this.#paths[index]),
    );
  }

  #read(call: Call, result: unknown, readerOf: (path: InputPath) => Reader): Promise<unknown[]> {
    return Promise.all(
      this.#paths.map((path, index) =>
        path === undefined ? walk(result, this.#resultPaths[index]!) : readerOf(path)(call),
      ),
    );
  }
}

/** @param path undefined for a part of the result. */
function mustBeThere(path: InputPath | undefined): boolean {
  if (path === undefined) return true;
  const { optional, argument, segments } = path;
  return !optional && segments[0] !== 'query' && (argument === undefined || segments.length > 1);
}

/** Logs, once each, the templates of one decorator for which a call or its result lacks a value. */
export class IncompleteTemplates {
  readonly #logged = new Set<FilledTemplate>();

  constructor(
    private readonly owner: string,
    private readonly log: CacheLog,
  ) {}

  /** @param values of the placeholders. @param effect the consequence for the cache. */
  check(filled: FilledTemplate, values: readonly unknown[], effect: string): void {
    const path = filled.missingAmong(values);
    if (path === undefined || this.#logged.has(filled)) return;
    this.#logged.add(filled);
    const whole = isOfResult(path) ? 'result' : 'call';
    this.log(
      'warn',
      'INVALIDATION_INCOMPLETE',
      `${this.owner}: '${filled.template.text}' names {${path}}, which the ${whole} does not have, so ${effect}. ` +
        `Name a part of the ${whole}, or write {${path}?} if it may be missing.`,
    );
  }
}

/** True for a path into the result of a handler or method. */
export function isOfResult(path: string): boolean {
  return path === 'result' || path.startsWith('result.');
}

/**
 * Writes a value in a tag as a JavaScript template literal does, and a date as JSON does, so that a tag template and a function
 * of the value make the same tag. Other objects are encoded.
 */
export function tagText(value: unknown): string {
  return textsOf(value)[0] ?? encodeValue(value);
}

/** Tags of a handler that contain inputs. */
export class TagTemplates {
  readonly templates: readonly FilledTemplate[];
  readonly #incomplete: IncompleteTemplates;
  #warned = false;

  constructor(
    templates: readonly FilledTemplate[],
    private readonly owner: string,
    private readonly log: CacheLog,
  ) {
    this.templates = templates;
    this.#incomplete = new IncompleteTemplates(owner, log);
  }

  /** Returns the tags of an entry with these inputs in its key. */
  fromInputs(inputs: ReadonlyMap<string, string>, result: unknown): string[] {
    return this.templates.flatMap((template) => template.fromInputs(inputs, result) ?? []);
  }

  /** Sets the tags of a load. If computing them fails, the value is not stored, because nothing could invalidate it. */
  async setOn(context: AnnotatedLoadContext, call: Call, result: unknown): Promise<void> {
    try {
      const tags = await Promise.all(this.templates.map((template) => this.#tagOf(template, call, result)));
      context.setTags(...tags);
    } catch (cause) {
      context.drop(NotKept.policy);
      if (this.#warned) return;
      this.#warned = true;
      this.log(
        'warn',
        'TAGS_FAILED',
        `${this.owner}: the tags of a value could not be computed. The value was not stored.`,
        {
          reason: cause instanceof Error ? cause.name : typeof cause,
        },
      );
    }
  }

  async #tagOf(template: FilledTemplate, call: Call, result: unknown): Promise<string> {
    const values = await template.values(call, result);
    // A null or undefined result has no parts.
    if (result !== undefined && result !== null)
      this.#incomplete.check(template, values, 'no invalidation by that tag reaches its entry');
    return template.fill(values, tagText);
  }
}

/** Compiles tags that name inputs; undefined if the policy has all tags. @throws CacheError `INVALID_TEMPLATE` */
export function tagTemplates(
  tags: CachedOptions['tags'],
  { transport, inputs, owner }: { transport: Transport; inputs: readonly DeclaredInput[]; owner: string },
  log: CacheLog,
): TagTemplates | undefined {
  if (tags === undefined || typeof tags === 'function' || !tags.some((tag) => tag.includes('{'))) return undefined;
  const templates = tags.map((tag) => new FilledTemplate(tag, transport, inputs, owner));
  return new TagTemplates(templates, owner, log);
}
