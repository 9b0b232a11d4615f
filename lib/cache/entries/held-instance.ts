/** Encodes instances of one of the application's classes as data, and decodes them. */
export interface InstanceCodec {
  /** The name of the class in a shared layer. */
  readonly name: string;
  encode(instance: object): unknown;
  decode(data: unknown): object;
}

const CODEC = Symbol('codec');

/** The object that is stored in place of an instance that the application encodes. Readers get the decoded instance. */
export interface HeldInstance {
  /** The encoded instance, as plain data. */
  data: unknown;
}

/** Creates the prototype of all held instances of one codec. Its properties are not part of the data. */
export function heldPrototype(codec: InstanceCodec): object {
  return Object.freeze(Object.create(null, { [CODEC]: { value: codec } }) as object);
}

export function codecOf(prototype: object): InstanceCodec | undefined {
  return (prototype as { readonly [CODEC]?: InstanceCodec })[CODEC];
}
