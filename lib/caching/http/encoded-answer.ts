import type { Derived, Entry } from '../../cache/entries/entry.js';
import { keepDerived } from '../../cache/entries/kept-entry.js';
import { JsonText } from '../../cache/entries/json-text.js';
import { stringBytes } from '../../cache/entries/sizes.js';
import { valueOf } from '../../cache/entries/value-of.js';
import { entityTag } from './entity-tag.js';

/** An entry's value as it is sent. It is encoded once and stored with the entry. */
export class EncodedAnswer implements Derived {
  #length: number | undefined;

  constructor(
    readonly text: string,
    readonly tag: string,
    readonly size: number,
  ) {}

  /** Length in bytes. */
  get length(): number {
    return (this.#length ??= Buffer.byteLength(this.text));
  }

  /** True if every character is one byte, so that no encoding is needed. */
  get oneByte(): boolean {
    return this.length === this.text.length;
  }
}

/**
 * Returns the text of an entry with an object or a string, encoded on first use; undefined if JSON cannot represent the value.
 * @param value the entry's value, as the caller read it.
 */
export function encodedAnswer(entry: Entry, value = entry.value): EncodedAnswer | undefined {
  const { derived } = entry;
  if (derived instanceof EncodedAnswer) return derived;
  // A `toJSON` may change the instance, so it gets a copy.
  const answer = encode(value === entry.value && entry.classes !== undefined ? valueOf(entry) : value);
  if (answer !== undefined) keepDerived(entry, answer);
  return answer;
}

/** Like {@link encodedAnswer}, for a value that was not stored. */
export function encode(value: unknown): EncodedAnswer | undefined {
  const kept = typeof value === 'string' ? value : value instanceof JsonText ? value.text : undefined;
  const text = kept ?? (JSON.stringify(value) as string | undefined);
  if (text === undefined) return undefined;
  const tag = entityTag(text);
  // A text that is also the stored value is counted with the value.
  const size = ANSWER_BYTES + stringBytes(tag) + (kept === undefined ? stringBytes(text) : 0);
  return new EncodedAnswer(text, tag, size);
}

const ANSWER_BYTES = 64;

/** True for values that adapters write as JSON: objects that are neither bytes nor streams. */
export function isJson(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer);
}
