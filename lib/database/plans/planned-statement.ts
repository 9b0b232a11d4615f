import type { Dialect } from '../statements/dialect.js';
import { WITHHELD } from '../statements/shape.js';
import { Token, Tokens } from '../statements/tokens.js';

/** A shape as a statement that can be planned. */
export interface PlannedStatement {
  readonly sql: string;
  /** Of PostgreSQL: how many parameters it has. */
  readonly parameters: number;
}

/** What a plan can be asked for; anything else is no statement that reads or writes rows. */
const PLANNED = new Set(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'MERGE', 'WITH', 'VALUES', 'TABLE', '(']);
/** Stands for values in MySQL and MariaDB, which plan with values only. */
const ASSUMED = '1';

/**
 * Makes one statement of a shape: parameters in place of what was put into it. Undefined where the shape is cut, withheld, holds
 * several statements, or is none that has a plan.
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
