/** How an application turns instances of one of its classes into data and back. */
export interface InstanceCodec {
  /** The name of its instances in a shared layer. */
  readonly name: string;
  encode(instance: object): unknown;
  decode(data: unknown): object;
}

const CODEC = Symbol('codec');

/** What is stored in place of an instance that the application encodes. Readers get the decoded instance. */
export interface HeldInstance {
  /** Plain data. */
  data: unknown;
}

/** The prototype of all held instances of one codec. Its properties are not part of the data. */
export function heldPrototype(codec: InstanceCodec): object {
  return Object.freeze(Object.create(null, { [CODEC]: { value: codec } }) as object);
}

export function codecOf(prototype: object): InstanceCodec | undefined {
  return (prototype as { readonly [CODEC]?: InstanceCodec })[CODEC];
}
