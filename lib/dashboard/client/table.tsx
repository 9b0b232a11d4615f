import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Term } from './parts';
import type { TermName } from './terms';

export interface Column<T> {
  readonly name: string;
  readonly term?: TermName;
  /** What it is sorted by; left out, it is not. */
  readonly by?: (row: T) => number | string | null;
  readonly numeric?: boolean;
  /** Hidden on narrow screens. */
  readonly wide?: boolean;
  readonly cell: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly id: (row: T) => string;
  /** The column it is sorted by at first, largest first. */
  readonly sort?: string;
  /** Rows shown at first. */
  readonly limit?: number;
}

const MORE_ROWS = 50;

/** Rows in the order of a column that the reader chooses. Few rows are drawn, however many there are. */
export function Table<T>({ label, rows, columns, id, sort, limit = MORE_ROWS }: TableProps<T>) {
  const [order, setOrder] = useState({ name: sort ?? '', down: true });
  const [shown, setShown] = useState(limit);
  const by = columns.find(({ name }) => name === order.name)?.by;
  const sorted = by === undefined ? rows : [...rows].sort((a, b) => (order.down ? -1 : 1) * compare(by(a), by(b)));
  const press = (name: string) =>
    setOrder(({ name: before, down }) => ({ name, down: name === before ? !down : true }));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`Table: ${label}`}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, term, by: sortable, numeric, wide }) => {
              const active = name === order.name;
              return (
                <th
                  key={name}
                  scope="col"
                  class={`${numeric ? 'n' : ''} ${wide ? 'wide' : ''}`}
                  {...(active ? { 'aria-sort': order.down ? 'descending' : 'ascending' } : {})}
                >
                  {term ? <Term name={term}>{name}</Term> : name}
                  {sortable && (
                    <button
                      type="button"
                      class={active ? 'sort active' : 'sort'}
                      aria-label={`Sort by ${name}`}
                      onClick={() => press(name)}
                    >
                      {active && !order.down ? '▲' : '▼'}
                    </button>
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shown).map((row) => (
            <tr key={id(row)}>
              {columns.map(({ name, numeric, wide, cell }, at) => {
                const kind = `${numeric ? 'n' : ''} ${wide ? 'wide' : ''}`;
                return at === 0 ? (
                  <th key={name} scope="row" class={kind}>
                    {cell(row)}
                  </th>
                ) : (
                  <td key={name} class={kind}>
                    {cell(row)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && limit === MORE_ROWS && (
        <button type="button" class="quiet" onClick={() => setShown(shown + MORE_ROWS)}>
          Show {Math.min(MORE_ROWS, rows.length - shown)} more of {rows.length}
        </button>
      )}
    </div>
  );
}

function compare(a: number | string | null, b: number | string | null): number {
  if (typeof a === 'string' || typeof b === 'string') return -String(a).localeCompare(String(b));
  return (a ?? -1) - (b ?? -1);
}
