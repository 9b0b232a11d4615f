import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Dialect } from '../../lib/database/statements/dialect.js';
import { QUERY_TYPES } from '../../lib/database/statements/query-type.js';
import { LONGEST_SHAPE, statementShape, WITHHELD } from '../../lib/database/statements/shape.js';
import { describeStatement } from '../../lib/database/statements/statement.js';
import { workedMs } from '../support/machine-stalls.js';

const dialect = fc.constantFrom<Dialect>('postgresql', 'mysql', 'sqlite', 'mssql', 'unknown');
const piece = fc.constantFrom(
  ...[
    'SELECT',
    'FROM',
    'WITH',
    'AS',
    'INSERT INTO',
    'UPDATE',
    'DELETE',
    'JOIN',
    'VALUES',
    'CREATE TABLE',
    'EXPLAIN',
    'ON',
  ],
  ...[
    '(',
    ')',
    ',',
    ';',
    '.',
    '[',
    ']',
    "'",
    '"',
    '`',
    '$$',
    '$a$',
    '--',
    '/*',
    '*/',
    '#',
    '\\',
    '\n',
    ' ',
    ':',
    '@',
    '?',
  ],
  ...['users', '"Orders"', '1', '1e-', '$1', "E'", 'IS DISTINCT', 'TOP', '\u0000', '\ud800', '💥'],
);
const sqlish = fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(' '));
const anything = fc.oneof(sqlish, fc.string({ unit: 'binary', maxLength: 200 }), fc.string({ maxLength: 200 }));

describe('parsing statements', () => {
  it('parsing a statement never throws for any text, and returns one of a closed set of types and a bounded table', () => {
    fc.assert(
      fc.property(anything, dialect, (text, which) => {
        const { type, table } = describeStatement(text, which);
        expect(QUERY_TYPES).toContain(type);
        expect(table.length).toBeLessThanOrEqual(128);
        expect(statementShape(text, which).length).toBeLessThanOrEqual(LONGEST_SHAPE);
      }),
      { numRuns: 2_000 },
    );
  });

  it('parsing a statement drops every literal, in any notation', () => {
    const secret = 'hunter2';
    const literal = fc.constantFrom<(inside: string) => string>(
      (inside) => `'${inside}'`,
      (inside) => `N'${inside}'`,
      (inside) => `'${inside}''${inside}'`,
      (inside) => `/* ${inside} */ 1`,
      (inside) => `-- ${inside}\n 1`,
      (inside) => `(1, '${inside}', 2)`,
    );
    const own: Record<Dialect, ((inside: string) => string)[]> = {
      postgresql: [(inside) => `$$${inside}$$`, (inside) => `$x$ ' ${inside} $x$`, (inside) => `E'\\'${inside}'`],
      mysql: [(inside) => `"${inside}"`, (inside) => `'\\'${inside}'`, (inside) => `# ${inside}\n 1`],
      sqlite: [],
      mssql: [],
      unknown: [(inside) => `"${inside}"`, (inside) => `'\\'${inside}'`, (inside) => `$$${inside}$$`],
    };
    fc.assert(
      fc.property(dialect, fc.array(fc.tuple(literal, fc.nat()), { minLength: 1, maxLength: 6 }), (which, literals) => {
        const written = literals.map(([write, pick]) => {
          const choices = [write, ...own[which]];
          return choices[pick % choices.length]!(secret);
        });
        const text = `SELECT * FROM users WHERE a IN (${written.join(', ')}) AND b = ${written[0]}`;
        const shape = statementShape(text, which);
        expect(shape).not.toContain(secret);
        if (shape !== WITHHELD) expect(shape.startsWith('SELECT * FROM users WHERE a IN (')).toBe(true);
        expect(describeStatement(text, which).table).not.toContain(secret);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ['open parentheses', '('.repeat(100_000)],
    ['open comments', '/*'.repeat(100_000)],
    ['open dollar quotes', Array.from({ length: 20_000 }, (_, i) => `$t${i}$`).join(' ')],
    ['open brackets', 'SELECT * FROM ' + '['.repeat(100_000)],
    ['quotes', `'"\``.repeat(60_000)],
    ['names', 'SELECT * FROM ' + 'a.'.repeat(100_000)],
    ['table expressions', 'WITH ' + 'a AS (SELECT 1),'.repeat(20_000)],
  ])('parsing a statement takes time in proportion to the text: %s', (_, text) => {
    const quickest = (statement: string): number => {
      const runs = Array.from({ length: 5 }, () => {
        const before = workedMs();
        for (const which of ['postgresql', 'mysql', 'unknown'] as const) {
          describeStatement(statement, which);
          statementShape(statement, which);
        }
        return workedMs() - before;
      });
      return Math.min(...runs);
    };
    // 16 KiB are read; quadratic work takes 256 times as long for 16 times the text.
    const little = quickest(text.slice(0, 1_024));
    expect(quickest(text) / (little + 1)).toBeLessThan(100);
  });
});
