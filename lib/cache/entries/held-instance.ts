/** How an application turns instances of one of its classes into data and back. */
export interface InstanceCodec {
  /** The name that its instances have in a shared layer. */
  readonly name: string;
  encode(instance: object): unknown;
  decode(data: unknown): object;
}

const CODEC = Symbol('codec');

/** Stands in a stored value for an instance that its application encodes itself; readers get what it decodes to. */
export interface HeldInstance {
  /** Plain data. */
  data: unknown;
}

/** The prototype of all instances that one codec holds. A property of the prototype is none of the data. */
export function heldPrototype(codec: InstanceCodec): object {
  return Object.freeze(Object.create(null, { [CODEC]: { value: codec } }) as object);
}

export function codecOf(prototype: object): InstanceCodec | undefined {
  return (prototype as { readonly [CODEC]?: InstanceCodec })[CODEC];
}
