import { visible } from './visible.js';

/** A cell that is aligned to the right: nothing but digits. */
const NUMBER = /^[0-9]+$/;

/** Length in code points: what a terminal shows of the names and addresses that we print. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}

function centred(text: string, width: number): string {
  const free = width - lengthOf(text);
  const left = Math.floor(free / 2);
  return ' '.repeat(left) + text + ' '.repeat(free - left);
}

function aligned(text: string, width: number): string {
  const margin = ' '.repeat(width - lengthOf(text));
  return NUMBER.test(text) ? margin + text : text + margin;
}

/** A table with lines around it, drawn as `node status` draws its own (`calicoctl.md` 10). */
export function formatBox(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const shown = rows.map(cells => headings.map((_, column) => visible(cells[column] ?? '')));
  const widths = headings.map((heading, column) => {
    let widest = lengthOf(heading);
    for (const cells of shown) widest = Math.max(widest, lengthOf(cells[column] ?? ''));
    return widest;
  });
  const border = `+${widths.map(width => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[], place: (text: string, width: number) => string): string =>
    `|${widths.map((width, column) => ` ${place(cells[column] ?? '', width)} `).join('|')}|`;
  const body = shown.map(cells => line(cells, aligned));
  return [border, line(headings, centred), border, ...body, border].map(each => `${each}\n`).join('');
}
