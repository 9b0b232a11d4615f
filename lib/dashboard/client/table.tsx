import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Term } from './parts';
import type { TermName } from './terms';

/** A column. A column of figures has a definition. */
export type Column<T> = ColumnContent<T> &
  ({ readonly numeric: true; readonly term: TermName } | { readonly numeric?: false; readonly term?: TermName });

interface ColumnContent<T> {
  readonly name: string;
  /** The value by which rows are sorted. Without it, the column cannot be sorted. */
  readonly by?: (row: T) => number | string | null;
  /** Hidden on narrow screens. */
  readonly wide?: boolean;
  readonly cell: (row: T) => ComponentChildren;
}

type Figure = number | null;

/** Creates a column of figures that can be sorted. */
export function figures<T>(
  name: string,
  term: TermName,
  by: (row: T) => Figure,
  shown: (of: Figure) => string,
): Column<T> {
  return { name, term, by, numeric: true, cell: (row) => shown(by(row)) };
}

/** Returns the same column, hidden on narrow screens. */
export const wide = <T,>(column: Column<T>): Column<T> => ({ ...column, wide: true });

interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly id: (row: T) => string | number;
  /** Shown if there are no rows: what that means and what to do. */
  readonly nothing?: ComponentChildren;
  /** The column by which rows are sorted at first, the largest first. By default rows keep the given order. */
  readonly sort?: string;
  /** The number of shown rows. Without it, a button shows more rows. */
  readonly limit?: number;
}

const ROWS = 50;

/**
 * A table with a caption, sorting, and a text for no rows. It can be scrolled by keyboard. Only some of many rows are drawn.
 */
export function Table<T>({ label, rows, columns, id, nothing, sort, limit }: TableProps<T>) {
  const caption = useId();
  const [order, setOrder] = useState({ name: sort ?? '', down: true });
  const [shown, setShown] = useState(limit ?? ROWS);
  if (rows.length === 0 && nothing !== undefined) return <div class="note">{nothing}</div>;
  const by = columns.find(({ name }) => name === order.name)?.by;
  const sorted = by === undefined ? rows : [...rows].sort((a, b) => compare(by(a), by(b), order.down));
  const press = (name: string) =>
    setOrder(({ name: before, down }) => ({ name, down: name === before ? !down : true }));
  return (
    <div class="scroll" tabIndex={0} role="region" aria-labelledby={caption}>
      <table>
        <caption id={caption} class="hidden">
          Table: {label}
        </caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading
                key={column.name}
                of={column}
                sorted={column.name === order.name ? directionOf(column, rows, order.down) : undefined}
                press={press}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shown).map((row) => (
            <tr key={id(row)}>
              {columns.map((column, at) =>
                at === 0 ? (
                  <th key={column.name} scope="row" class={classOf(column)}>
                    {column.cell(row)}
                  </th>
                ) : (
                  <td key={column.name} class={classOf(column)}>
                    {column.cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown && limit === undefined && (
        <button type="button" class="quiet" onClick={() => setShown(shown + ROWS)}>
          Show {Math.min(ROWS, rows.length - shown)} more of {rows.length}
        </button>
      )}
    </div>
  );
}

interface HeadingProps<T> {
  readonly of: Column<T>;
  /** Undefined unless the rows are sorted by this column. */
  readonly sorted: 'ascending' | 'descending' | undefined;
  readonly press: (name: string) => void;
}

function Heading<T>({ of: column, sorted, press }: HeadingProps<T>) {
  const { name, term, by } = column;
  return (
    <th scope="col" class={classOf(column)} {...(sorted ? { 'aria-sort': sorted } : {})}>
      {term ? <Term name={term}>{name}</Term> : name}
      {by && (
        <button
          type="button"
          class={sorted ? 'sort active' : 'sort'}
          aria-label={`Sort by ${name}`}
          onClick={() => press(name)}
        >
          {sorted === 'ascending' ? '▲' : '▼'}
        </button>
      )}
    </th>
  );
}

/** Returns the direction: names ascend from A if figures descend from the largest. */
function directionOf<T>({ by }: Column<T>, rows: readonly T[], down: boolean): 'ascending' | 'descending' {
  const isText = rows.some((row) => typeof by?.(row) === 'string');
  return down === isText ? 'ascending' : 'descending';
}

function classOf<T>({ numeric, wide: hidden }: Column<T>): string {
  return [numeric ? 'n' : '', hidden ? 'wide' : ''].filter((name) => name !== '').join(' ');
}

/** Compares two values: names go from A to Z if figures go from the largest down. Unknown values always come last. */
function compare(a: number | string | null, b: number | string | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string' || typeof b === 'string') return (down ? 1 : -1) * String(a).localeCompare(String(b));
  return (down ? -1 : 1) * (a - b);
}
