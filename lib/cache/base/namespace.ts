/**
 * Returns the prefix of a cache's names in a store that other applications share: the namespace and, if set, `#` and the version
 * of the deploy. A colon follows the prefix. Colons and `#` inside the namespace and the version are escaped (`:` becomes `%3A;`), so
 * that no name under one prefix begins with another prefix and its colon: listing, counting or removing names affects one cache only.
 *
 * Letters, digits and `_ . @ / { } -` are not escaped, so that package names are readable and a namespace such as `{shop}`
 * keeps its hash tag (Redis Cluster specification, "Hash tags").
 */
export function sharedPrefix(namespace: string, version?: string): string {
  const prefix = escaped(namespace, RESERVED);
  return version === undefined ? prefix : `${prefix}#${escaped(version, RESERVED_IN_VERSION)}`;
}

/** Returns the prefix without the version. */
export function unversioned(prefix: string): string {
  return prefix.split('#', 1)[0]!;
}

const RESERVED = /[^\p{L}\p{N}_.@/{}-]/gu;
/** Characters that are escaped in a version: braces too, because a version must not form a hash tag. */
const RESERVED_IN_VERSION = /[^\p{L}\p{N}_.@/-]/gu;

/** Also escapes `%`, so that different texts never give the same result, and lone surrogates, which no store can keep. */
function escaped(text: string, reserved: RegExp): string {
  return text.replace(reserved, (character) => `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`);
}
