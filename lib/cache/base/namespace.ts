/**
 * The prefix of a cache's names in a store that other applications share: the namespace, then `#` and the version
 * of a deploy, if there is one. A colon follows the prefix. In both parts, colons and `#` are escaped (`:` becomes `%3A;`). So no prefix with
 * its colon is the beginning of another, and listing, counting or removing names under one prefix never touches another.
 *
 * Letters, digits and `_ . @ / { } -` are not escaped, so that package names are readable and a namespace such as `{shop}`
 * keeps its hash tag (Redis Cluster specification, "Hash tags").
 */
export function sharedPrefix(namespace: string, version?: string): string {
  const prefix = writtenOut(namespace, PLAIN);
  return version === undefined ? prefix : `${prefix}#${writtenOut(version, PLAIN_VERSION)}`;
}

/** The prefix of the namespace alone. */
export function unversioned(prefix: string): string {
  return prefix.split('#', 1)[0]!;
}

const PLAIN = /[^\p{L}\p{N}_.@/{}-]/gu;
/** Characters that a version keeps: without braces, because a version must not make a hash tag. */
const PLAIN_VERSION = /[^\p{L}\p{N}_.@/-]/gu;

/** Escapes `%`, too, so that two texts never give the same result. Escapes a lone surrogate, because no store can keep one. */
function writtenOut(text: string, others: RegExp): string {
  return text.replace(others, (character) => `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`);
}
