import { visible } from './visible.js';

const SMALLEST_WIDTH = 5;
const PADDING = 3;

function lengthInCodePoints(text: string): number {
  // Most cells are plain ASCII, where both lengths agree and no iterator is needed.
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text.length : Array.from(text).length;
}

/**
 * The widths of the columns of a table (`calicoctl.md` 5.3): the longest cell + 3, and at least 5, or what the
 * column had before.
 */
export function columnWidths(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  before: readonly number[] = [],
): readonly number[] {
  return headings.map((heading, column) => {
    let longest = lengthInCodePoints(heading);
    for (const cells of rows) longest = Math.max(longest, lengthInCodePoints(visible(cells[column] ?? '')));
    return Math.max(SMALLEST_WIDTH, longest + PADDING, before[column] ?? 0);
  });
}

/** One line of a table, without a newline: each cell, also the last, is padded to its column's width. */
export function formatRow(cells: readonly string[], widths: readonly number[]): string {
  return widths
    .map((width, column) => {
      const cell = visible(cells[column] ?? '');
      return cell + ' '.repeat(width - lengthInCodePoints(cell));
    })
    .join('');
}

/** The elastic table of `calicoctl.md` 5.3; one empty line ends it. */
export function formatTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(headings, rows);
  return [headings, ...rows].map(cells => `${formatRow(cells, widths)}\n`).join('') + '\n';
}
