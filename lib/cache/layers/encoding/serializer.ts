import { deserialize, serialize } from 'node:v8';

/** Turns values into bytes and back. What it cannot read it throws on: that is a miss, never an error. */
export interface Serializer {
  /** Names the form, so that bytes of another serialiser are recognised and treated as a miss. */
  readonly id: string;
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
}

/** Structured clone (HTML §2.7) in V8's wire format: Date, Map, Set, BigInt, Buffer, undefined, cycles. */
export const structuredCloneSerializer: Serializer = {
  id: 'structured-clone',
  serialize,
  // V8 makes Buffers that are views of their input: a copy keeps them from pinning the connection's read buffer.
  deserialize: (bytes) => deserialize(Buffer.from(bytes)),
};
