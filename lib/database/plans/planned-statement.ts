import type { Dialect } from '../statements/dialect.js';
import { WITHHELD } from '../statements/shape.js';
import { Token, Tokens } from '../statements/tokens.js';

/** A statement that can be planned, made from a shape. */
export interface PlannedStatement {
  readonly sql: string;
  /** The number of parameters; PostgreSQL only. */
  readonly parameters: number;
}

/** The first words of statements that have a plan, because they read or write rows. */
const PLANNED = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'WITH', 'VALUES', 'TABLE', '(']);
/** Replaces parameters in MySQL and MariaDB, which need values to plan. */
const ASSUMED = '1';

/**
 * Turns a shape into one statement, with parameters in place of the removed values. Undefined if the shape is cut or withheld,
 * contains several statements, or has no plan.
 */
export function plannedStatement(shape: string, dialect: Dialect): PlannedStatement | undefined {
  if (shape === WITHHELD || shape.endsWith('…')) return undefined;
  const tokens = new Tokens(shape, dialect);
  const numbers = new Map<string, number>();
  let parameters = 0;
  let sql = '';
  let end = 0;
  for (let first = true; tokens.next() !== Token.end; first = false) {
    const { kind, text, start } = tokens;
    if (text === ';' || (first && !PLANNED.has(text.toUpperCase()))) return undefined;
    sql += shape.slice(end, start);
    end = tokens.end;
    if (kind !== Token.placeholder || text.startsWith('@')) sql += text;
    else if (dialect === 'mysql') sql += ASSUMED;
    else {
      const known = text === '?' ? undefined : numbers.get(text);
      const number = known ?? ++parameters;
      numbers.set(text, number);
      sql += `$${number}`;
    }
  }
  return end === 0 ? undefined : { sql, parameters };
}
