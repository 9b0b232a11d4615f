import type { CacheLog } from '../../cache/base/cache-log.js';
import { CacheError } from '../../cache/base/errors.js';
import { checkKey } from '../../cache/base/keys.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CacheInvalidateOptions } from '../options/cached.options.js';
import type { Call, Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import type { DeclaredKeys } from '../keys/declared-keys.js';
import type { DeclaredTags } from '../keys/declared-tags.js';
import { NamedKeys } from '../keys/named-keys.js';
import { NotEncodable } from '../keys/not-encodable.js';
import { FilledTemplate, IncompleteTemplates, tagText } from './tag-templates.js';

/** The parts of an application that an {@link Invalidation} uses. */
export interface InvalidationContext {
  readonly cache: LayeredCache;
  readonly log: CacheLog;
  readonly declaredKeys: DeclaredKeys;
  readonly declaredTags: DeclaredTags;
}

/** The handler or method that invalidates. */
export interface InvalidationSubject {
  readonly transport: Transport;
  readonly inputs: readonly DeclaredInput[];
  /** For messages: `ProductController.purchase()`. */
  readonly owner: string;
}

/** A template of keys or globs, and how it encodes values. */
interface KeyNames {
  readonly template: FilledTemplate;
  readonly named: NamedKeys;
}

/** Runs the invalidations of one `@CacheInvalidate` after a call. */
export class Invalidation {
  readonly #cache: LayeredCache;
  readonly #log: CacheLog;
  readonly #owner: string;
  readonly #keys: readonly KeyNames[];
  readonly #patterns: readonly KeyNames[];
  readonly #tags: readonly FilledTemplate[];
  readonly #declaredTags: DeclaredTags;
  readonly #incomplete: IncompleteTemplates;

  /** @throws CacheError `INVALID_TEMPLATE` */
  constructor(
    options: CacheInvalidateOptions,
    { cache, log, declaredKeys, declaredTags }: InvalidationContext,
    { transport, inputs, owner }: InvalidationSubject,
  ) {
    const templates = (texts: readonly string[] = []) =>
      texts.map((text) => new FilledTemplate(text, transport, inputs, owner));
    const names = (texts: readonly string[] | undefined, glob: boolean) =>
      templates(texts).map((template) => ({ template, named: new NamedKeys(template.template, glob, declaredKeys) }));
    this.#cache = cache;
    this.#log = log;
    this.#incomplete = new IncompleteTemplates(owner, log);
    this.#owner = owner;
    this.#keys = names(options.keys, false);
    this.#patterns = names(options.patterns, true);
    this.#tags = templates(options.tags);
    this.#declaredTags = declaredTags;
  }

  /** Resolves when the invalidation is done. A failure is logged and does not fail the call. */
  async after(call: Call, result: unknown): Promise<void> {
    const outcomes = await Promise.allSettled([
      this.#invalidateKeys(call, result),
      ...this.#patterns.map((pattern) => this.#invalidatePattern(pattern, call, result)),
      this.#invalidateTags(call, result),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      this.#log('error', 'INVALIDATION_FAILED', `${this.#owner}: stale entries may still be served.`, {
        cause: outcome.reason,
      });
    }
  }

  async #invalidateKeys(call: Call, result: unknown): Promise<void> {
    const keys = new Set((await Promise.all(this.#keys.map((keys) => this.#textsOf(keys, call, result)))).flat());
    if (keys.size > 0) await this.#cache.mdel([...keys]);
  }

  async #invalidatePattern(pattern: KeyNames, call: Call, result: unknown): Promise<void> {
    await Promise.all((await this.#textsOf(pattern, call, result)).map((glob) => this.#cache.deleteByPattern(glob)));
  }

  async #invalidateTags(call: Call, result: unknown): Promise<void> {
    const tags = await Promise.all(this.#tags.map((template) => this.#tagsOf(template, call, result)));
    const possible = [...new Set(tags.flat())].filter(canExist);
    if (possible.length > 0) await this.#cache.invalidateTags(...possible);
  }

  async #tagsOf(filled: FilledTemplate, call: Call, result: unknown): Promise<string[]> {
    const { raw, values } = await this.#valuesOf(filled, call, result);
    const parsed = this.#declaredTags.parsed(filled.template, raw) ?? [raw, values];
    return parsed.map((each) => filled.fill(each, tagText));
  }

  async #textsOf({ template, named }: KeyNames, call: Call, result: unknown): Promise<string[]> {
    try {
      const { raw, values } = await this.#valuesOf(template, call, result);
      return named.of(raw, values).filter(canExist);
    } catch (error) {
      if (error instanceof NotEncodable && error.code === 'INVALID_KEY') return [];
      throw error;
    }
  }

  async #valuesOf(filled: FilledTemplate, call: Call, result: unknown): Promise<Record<'raw' | 'values', unknown[]>> {
    const raw = await filled.rawValues(call, result);
    const values = await filled.values(call, result);
    this.#incomplete.check(filled, values, 'stale entries may still be served');
    return { raw, values };
  }
}

/** False for text that cannot be a key or tag: then there is nothing to invalidate. */
function canExist(text: string): boolean {
  try {
    checkKey(text);
    return true;
  } catch (error) {
    if (error instanceof CacheError) return false;
    throw error;
  }
}
