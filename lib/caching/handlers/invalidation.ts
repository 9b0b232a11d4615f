import type { CacheLog } from '../../cache/cache-log.js';
import type { LayeredCache } from '../../cache/layered-cache.js';
import type { CacheInvalidateOptions } from '../cached.options.js';
import type { Call, Transport } from '../inputs/call.js';
import type { DeclaredInput } from '../inputs/declared-inputs.js';
import { boundedKey } from '../keys/key-length.js';
import { encodeAsText, encodeAsTyped } from '../keys/key-parts.js';
import { FilledTemplate, writeTagValue } from './tag-templates.js';

/** What one `@CacheInvalidate` does after a call. */
export class Invalidation {
  readonly #cache: LayeredCache;
  readonly #log: CacheLog;
  readonly #owner: string;
  readonly #keys: readonly FilledTemplate[];
  readonly #patterns: readonly FilledTemplate[];
  readonly #tags: readonly FilledTemplate[];

  /** @throws CacheError `INVALID_TEMPLATE` */
  constructor(parts: {
    readonly cache: LayeredCache;
    readonly log: CacheLog;
    readonly options: CacheInvalidateOptions;
    readonly transport: Transport;
    readonly inputs: readonly DeclaredInput[];
    readonly owner: string;
  }) {
    const { options, transport, inputs, owner } = parts;
    const read = (texts: readonly string[] = []) =>
      texts.map((text) => new FilledTemplate(text, transport, inputs, owner));
    this.#cache = parts.cache;
    this.#log = parts.log;
    this.#owner = owner;
    this.#keys = read(options.keys);
    this.#patterns = read(options.patterns);
    this.#tags = read(options.tags);
  }

  /** Resolves when all is done; a failure is logged and felt by nobody. */
  async after(call: Call, result: unknown): Promise<void> {
    const outcomes = await Promise.allSettled([
      this.#invalidateKeys(call, result),
      ...this.#patterns.map(async (pattern) => this.#cache.deleteByPattern(await this.#glob(pattern, call, result))),
      this.#invalidateTags(call, result),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      this.#log(
        'error',
        'INVALIDATION_FAILED',
        `${this.#owner}: what it should have invalidated may still be answered.`,
        {
          reason: outcome.reason instanceof Error ? outcome.reason.name : typeof outcome.reason,
        },
      );
    }
  }

  async #invalidateKeys(call: Call, result: unknown): Promise<void> {
    const keys = await Promise.all(this.#keys.map((template) => keysOf(template, call, result)));
    const all = [...new Set(keys.flat())];
    if (all.length > 0) await this.#cache.mdel(all);
  }

  async #invalidateTags(call: Call, result: unknown): Promise<void> {
    const tags = await Promise.all(
      this.#tags.map(async (template) => template.fill(await template.values(call, result), writeTagValue)),
    );
    if (tags.length > 0) await this.#cache.invalidateTags(...tags);
  }

  async #glob(pattern: FilledTemplate, call: Call, result: unknown): Promise<string> {
    const values = await pattern.values(call, result);
    return pattern.fill(values, (value) => writeTagValue(value).replace(/[\\*?[\]]/g, '\\$&'));
  }
}

/**
 * The keys a template may have been written with: a value that came as text from a route may stand in the key of a method
 * that was called with a number, and the other way round.
 */
async function keysOf(template: FilledTemplate, call: Call, result: unknown): Promise<string[]> {
  const values = await template.values(call, result);
  const { escapes } = template.template;
  const ways = [encodeAsText, encodeAsTyped];
  return ways.flatMap((write) =>
    [values, values.map(otherForm)].map((form) =>
      boundedKey(template.fill(form, (value, index) => write(value, escapes[index]!))),
    ),
  );
}

function otherForm(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'string' && value !== '' && String(Number(value)) === value) return Number(value);
  return value;
}
