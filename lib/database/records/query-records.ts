import { LRUCache } from 'lru-cache';
import type { Dialect } from '../statements/dialect.js';
import type { QueryType } from '../statements/query-type.js';
import { describeStatement, NO_TABLE, OTHER_TABLE } from '../statements/statement.js';
import { QueryRecord } from './query-record.js';

/** How many texts are remembered with their type and table. Texts above `LONGEST_REMEMBERED` characters are not. */
const REMEMBERED_TEXTS = 1_000;
const LONGEST_REMEMBERED = 4_096;

/**
 * The records of all queries by type and table. The first tables up to the limit have their own records; further tables are
 * counted together. The result of parsing a text is remembered.
 */
export class QueryRecords {
  readonly #maxTables: number;
  readonly #tables = new Set<string>();
  readonly #records = new Map<string, QueryRecord>();
  readonly #byText = new Map<Dialect, LRUCache<string, QueryRecord>>();

  constructor(maxTables: number) {
    this.#maxTables = maxTables;
  }

  ofText(text: string, dialect: Dialect): QueryRecord {
    const remembered = this.#byText.get(dialect)?.get(text);
    if (remembered !== undefined) return remembered;
    const { type, table } = describeStatement(text, dialect);
    const record = this.of(type, table);
    if (text.length <= LONGEST_REMEMBERED) this.#remember(text, dialect, record);
    return record;
  }

  of(type: QueryType, table: string): QueryRecord {
    const admitted = this.#admit(table);
    const key = `${type} ${admitted}`;
    let record = this.#records.get(key);
    if (record === undefined) this.#records.set(key, (record = new QueryRecord(type, admitted)));
    return record;
  }

  /** Returns all records, one for each type and table. */
  all(): readonly QueryRecord[] {
    return [...this.#records.values()];
  }

  /** Resets the counts; records stay valid. */
  clear(): void {
    for (const record of this.#records.values()) record.clear();
  }

  #admit(table: string): string {
    if (table === NO_TABLE || table === OTHER_TABLE || this.#tables.has(table)) return table;
    if (this.#tables.size >= this.#maxTables) return OTHER_TABLE;
    this.#tables.add(table);
    return table;
  }

  #remember(text: string, dialect: Dialect, record: QueryRecord): void {
    let texts = this.#byText.get(dialect);
    if (texts === undefined) this.#byText.set(dialect, (texts = new LRUCache({ max: REMEMBERED_TEXTS })));
    texts.set(text, record);
  }
}
