import { displayWidth } from './width.ts';

const MIN_WIDTH = 12;
const PADDING = 2;

/** Columns as Podman's tabwriter lays them out: at least 12 wide, two spaces between, none at the end. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries())
      widths[i] = Math.max(widths[i] ?? MIN_WIDTH, displayWidth(cell) + PADDING);
  }
  const padded = (cell: string, i: number): string =>
    cell + ' '.repeat(Math.max(0, (widths[i] ?? 0) - displayWidth(cell)));
  return rows.map((row) => `${row.map(padded).join('').trimEnd()}\n`).join('');
}
