/** Turns values into bytes and back, both in the same turn. What `deserialize` throws makes the value absent, never an error. */
export interface Serializer {
  /** Names the form, so that bytes of another serializer are recognised and count as absent. */
  readonly id: string;
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
}
