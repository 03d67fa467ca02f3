import { visible } from './visible.js';

const SMALLEST_WIDTH = 5;
const PADDING = 3;

function lengthInCodePoints(text: string): number {
  // Most cells are plain ASCII, where both lengths agree and no iterator is needed.
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text.length : Array.from(text).length;
}

/**
 * The elastic table of `calicoctl.md` 5.3: each cell, also the last, is padded to its column's width, which is
 * the longest cell + 3 and at least 5. One empty line ends the table.
 */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [headings, ...rows].map(cells => cells.map(visible));
  const widths = headings.map((_, column) => {
    let longest = 0;
    for (const cells of lines) longest = Math.max(longest, lengthInCodePoints(cells[column] ?? ''));
    return Math.max(SMALLEST_WIDTH, longest + PADDING);
  });
  const padded = (cell: string, column: number): string =>
    cell + ' '.repeat((widths[column] ?? 0) - lengthInCodePoints(cell));
  return lines.map(cells => `${cells.map(padded).join('')}\n`).join('') + '\n';
}
