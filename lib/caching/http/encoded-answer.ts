import type { Entry } from '../../cache/entry.js';
import { entityTag } from './entity-tag.js';

/** An entry's value as it goes over the wire: made once, kept beside it. */
export class EncodedAnswer {
  #length: number | undefined;

  constructor(
    readonly text: string,
    readonly tag: string,
  ) {}

  /** Bytes over the wire. */
  get length(): number {
    return (this.#length ??= Buffer.byteLength(this.text));
  }

  /** True where every character is one byte, so that nothing is to be encoded. */
  get oneByte(): boolean {
    return this.length === this.text.length;
  }
}

/** The text of an entry that holds an object or a string, made on its first use. */
export function encodedAnswer(entry: Entry): EncodedAnswer {
  const { derived } = entry;
  if (derived instanceof EncodedAnswer) return derived;
  const answer = encode(entry.value);
  entry.derived = answer;
  return answer;
}

/** As {@link encodedAnswer}, of an answer that was not kept. */
export function encode(value: unknown): EncodedAnswer {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return new EncodedAnswer(text, entityTag(text));
}

/** True for what adapters write as JSON: objects that are neither bytes nor streams. */
export function isJson(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !(value instanceof ArrayBuffer);
}
