import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Term } from './parts';
import type { TermName } from './terms';

/** A column; one of figures has a definition of them. */
export type Column<T> = ColumnContent<T> &
  ({ readonly numeric: true; readonly term: TermName } | { readonly numeric?: false; readonly term?: TermName });

interface ColumnContent<T> {
  readonly name: string;
  /** What it is sorted by; left out, it is not. */
  readonly by?: (row: T) => number | string | null;
  /** Hidden on narrow screens. */
  readonly wide?: boolean;
  readonly cell: (row: T) => ComponentChildren;
}

type Figure = number | null;

/** A column of figures, sorted by them. */
export function figures<T>(
  name: string,
  term: TermName,
  by: (row: T) => Figure,
  shown: (of: Figure) => string,
): Column<T> {
  return { name, term, by, numeric: true, cell: (row) => shown(by(row)) };
}

/** The same column, hidden on narrow screens. */
export const wide = <T,>(column: Column<T>): Column<T> => ({ ...column, wide: true });

interface TableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Column<T>[];
  readonly id: (row: T) => string | number;
  /** Shown where there is no row: what it means and what to do. */
  readonly nothing?: ComponentChildren;
  /** The column it is sorted by at first, largest first; left out, rows stay as they are given. */
  readonly sort?: string;
  /** Rows shown, without a way to see more. */
  readonly limit?: number;
}

const ROWS = 50;

/**
 * Every table of the page: its caption, the order that the reader chooses, what is said without a row. It can be scrolled by
 * keyboard. Few rows are drawn, however many there are.
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
  /** Undefined unless it is the column that the rows are sorted by. */
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

/** Names go up from A where figures go down from the largest. */
function directionOf<T>({ by }: Column<T>, rows: readonly T[], down: boolean): 'ascending' | 'descending' {
  const isText = rows.some((row) => typeof by?.(row) === 'string');
  return down === isText ? 'ascending' : 'descending';
}

function classOf<T>({ numeric, wide: hidden }: Column<T>): string {
  return [numeric ? 'n' : '', hidden ? 'wide' : ''].filter((name) => name !== '').join(' ');
}

/** Names from A to Z where figures are largest first; what is not known comes last either way. */
function compare(a: number | string | null, b: number | string | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'string' || typeof b === 'string') return (down ? 1 : -1) * String(a).localeCompare(String(b));
  return (down ? -1 : 1) * (a - b);
}
