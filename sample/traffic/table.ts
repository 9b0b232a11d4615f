/** A column: its heading, and a function that returns its cell of a row. */
export type Column<Row> = readonly [head: string, cell: (row: Row) => string];

/** Formats a table: the first column is aligned to the left, the others to the right. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [columns.map(([head]) => head), ...rows.map((row) => columns.map(([, cell]) => cell(row)))];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  const written = lines.map((line) =>
    line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0))),
  );
  return written.map((line) => `  ${line.join('  ')}`.trimEnd()).join('\n');
}

export const count = (value: number): string => value.toLocaleString('en');

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined ? '–' : `${(share * 100).toFixed(1)} %`;

export const ms = (value: number | null | undefined): string => {
  if (value === null || value === undefined) return '–';
  return value < 1 ? value.toFixed(3) : value < 10 ? value.toFixed(2) : value.toFixed(0);
};
