/** Says whether a key matches. */
export type GlobMatcher = (key: string) => boolean;

type Token = { readonly kind: 'any' } | { readonly kind: 'one'; matches(character: string): boolean };

/**
 * The one meaning of a glob in every layer, that of Redis' MATCH: `*` any text, `?` one character, `[abc]` one of,
 * `[^abc]` none of, `[a-z]` a range, `\` takes the next character literally. Time is at most key × glob.
 */
export function globMatcher(glob: string): GlobMatcher {
  const star = glob.indexOf('*');
  if (!/[?[\\]/.test(glob) && (star === -1 || star === glob.length - 1)) {
    if (star === -1) return (key) => key === glob;
    const prefix = glob.slice(0, -1);
    return (key) => key.startsWith(prefix);
  }
  const tokens = parse(glob);
  return (key) => matches(tokens, key);
}

/** A glob that matches this text and nothing else. */
export function literalGlob(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, '\\$&');
}

const ANY: Token = { kind: 'any' };

function parse(glob: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at]!;
    if (character === '*') {
      if (tokens.at(-1) !== ANY) tokens.push(ANY);
    } else if (character === '?') tokens.push({ kind: 'one', matches: () => true });
    else if (character === '[') {
      const set = parseSet(glob, at + 1);
      tokens.push(set.token);
      at = set.end;
    } else {
      const literal = character === '\\' && at + 1 < glob.length ? glob[++at]! : character;
      tokens.push({ kind: 'one', matches: (other) => other === literal });
    }
  }
  return tokens;
}

/** @returns the token and where its `]` stands; a set that never closes reaches to the end, as in Redis. */
function parseSet(glob: string, start: number): { token: Token; end: number } {
  let at = start;
  const negated = glob[at] === '^';
  if (negated) at++;
  const ranges: [from: string, to: string][] = [];
  for (; at < glob.length && glob[at] !== ']'; at++) {
    if (glob[at] === '\\' && at + 1 < glob.length) {
      at++;
      ranges.push([glob[at]!, glob[at]!]);
    } else if (glob[at + 1] === '-' && at + 2 < glob.length) {
      const [from, to] = [glob[at]!, glob[at + 2]!];
      ranges.push(from <= to ? [from, to] : [to, from]);
      at += 2;
    } else ranges.push([glob[at]!, glob[at]!]);
  }
  const within = (character: string) => ranges.some(([from, to]) => character >= from && character <= to);
  return { token: { kind: 'one', matches: (character) => within(character) !== negated }, end: at };
}

/** Backtracks to the last `*` only, which is enough for globs. */
function matches(tokens: readonly Token[], key: string): boolean {
  let token = 0;
  let at = 0;
  let resumeToken = -1;
  let resumeAt = 0;
  while (at < key.length) {
    const current = tokens[token];
    if (current?.kind === 'any') {
      resumeToken = ++token;
      resumeAt = at;
    } else if (current !== undefined && current.matches(key[at]!)) {
      token++;
      at++;
    } else if (resumeToken !== -1) {
      token = resumeToken;
      at = ++resumeAt;
    } else return false;
  }
  while (tokens[token]?.kind === 'any') token++;
  return token === tokens.length;
}
