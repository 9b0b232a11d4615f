import type { CachedOptions } from '../cached.options.js';
import type { Call, Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { inputPath, walk } from '../inputs/input-path.js';
import { escapeText } from '../keys/escape.js';
import { encodeValue } from '../keys/argument-encoding.js';
import { type KeyTemplate, keyTemplate } from '../keys/key-template.js';

/** Text with `{…}` filled from a call and its result. */
export class FilledTemplate {
  readonly #template: KeyTemplate;
  readonly #reads: readonly ((call: Call, result: unknown) => unknown)[];

  /** @throws CacheError `INVALID_TEMPLATE` */
  constructor(text: string, transport: Transport, inputs: readonly DeclaredInput[], owner: string) {
    this.#template = keyTemplate(text);
    this.#reads = this.#template.paths.map((path) => {
      const [root, ...rest] = path.split('.');
      if (root === 'result') return (_call, result) => walk(result, rest);
      const { read } = inputPath(path, transport, inputs, owner);
      return (call) => read(call);
    });
  }

  get template(): KeyTemplate {
    return this.#template;
  }

  /** The values in the order of their places; custom decorators may find theirs by a promise. */
  async values(call: Call, result: unknown): Promise<unknown[]> {
    return Promise.all(this.#reads.map((read) => read(call, result)));
  }

  /** @param write how a value stands in the text. */
  fill(values: readonly unknown[], write: (value: unknown, index: number) => string): string {
    const { literals } = this.#template;
    let text = literals[0]!;
    for (let index = 0; index < values.length; index++) text += write(values[index], index) + literals[index + 1]!;
    return text;
  }

  /** As {@link values}, of inputs that are there at once. */
  valuesNow(call: Call, result: unknown): unknown[] {
    return this.#reads.map((read) => read(call, result));
  }
}

/** A value in a tag: `7` and `'7'` have the same, so that what was cached by a number is invalidated by a route's text. */
export function writeTagValue(value: unknown): string {
  return typeof value === 'string' ? escapeText(value) : escapeText(encodeValue(value));
}

/** The tags of a handler that names inputs in them. */
export class TagTemplates {
  readonly #templates: readonly FilledTemplate[];

  constructor(templates: readonly FilledTemplate[]) {
    this.#templates = templates;
  }

  of(call: Call, result: unknown): string[] {
    return this.#templates.map((template) => template.fill(template.valuesNow(call, result), writeTagValue));
  }
}

/** Tags that name inputs; undefined where the policy alone knows them all. */
export function tagTemplates(
  tags: CachedOptions['tags'],
  transport: Transport,
  inputs: readonly DeclaredInput[],
  owner: string,
): TagTemplates | undefined {
  if (tags === undefined || typeof tags === 'function' || !tags.some((tag) => tag.includes('{'))) return undefined;
  return new TagTemplates(tags.map((tag) => new FilledTemplate(tag, transport, inputs, owner)));
}
