/** Converts values to bytes and back, synchronously. If `deserialize` throws, the value counts as absent. */
export interface Serializer {
  /** Names the format, so that bytes of another serializer are recognised and count as absent. */
  readonly id: string;
  serialize(value: unknown): Uint8Array;
  deserialize(bytes: Uint8Array): unknown;
}
