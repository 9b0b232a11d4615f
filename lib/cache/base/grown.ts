/** Copies the numbers of one array to the beginning of a longer one, and returns the longer one. */
export function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
