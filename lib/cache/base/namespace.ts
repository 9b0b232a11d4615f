/**
 * What the names of a cache begin with in a store that other applications share: the namespace, and behind `#` the version
 * of a deploy. A colon follows it, and neither part holds a colon or `#`: those are written out, as `%3A;`. So no prefix with
 * its colon begins another's, and nothing that is found, counted or removed under one is under another.
 *
 * Letters, digits and `_ . @ / { } -` stay as they are, so that package names are readable and a namespace such as `{shop}`
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
/** A version must not make a hash tag. */
const PLAIN_VERSION = /[^\p{L}\p{N}_.@/-]/gu;

/** One-to-one: `%` is written out as well, and so is half of a surrogate pair, which no store keeps. */
function writtenOut(text: string, others: RegExp): string {
  return text.replace(others, (character) => `%${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()};`);
}
