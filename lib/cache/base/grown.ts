/** Copies numbers to the beginning of a longer array, and returns that array. */
export function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
