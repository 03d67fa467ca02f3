import type { IpVersion } from '../net/index.js';
import type { PeerStatus } from './status.js';

const HEADINGS = ['PEER ADDRESS', 'PEER TYPE', 'STATE', 'SINCE', 'INFO'] as const;
const MAX_CELL = 30;

/**
 * The section of `calicoctl node status` for one IP version (calicoctl.md 10): title and table, or that
 * there are no peers. Ends without a newline.
 */
export function formatPeers(peers: readonly PeerStatus[], version: IpVersion): string {
  const family = `IPv${String(version)}`;
  const rows = peers
    .filter(peer => peer.version === version)
    .map(({ address, type, state, since, info }) => [address, type, state, since, info].map(wrap));
  const body = rows.length === 0 ? `No ${family} peers found.` : table(rows);
  return `${family} BGP status\n${body}`;
}

function table(rows: readonly (readonly (readonly string[])[])[]): string {
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.flatMap(row => (row[column] ?? []).map(line => line.length))),
  );
  const border = `+${widths.map(width => '-'.repeat(width + 2)).join('+')}+`;
  const line = (cells: readonly string[]): string => `|${cells.map(cell => ` ${cell} `).join('|')}|`;
  const heading = line(widths.map((width, column) => centred(HEADINGS[column] ?? '', width)));
  const body = rows.flatMap(row => {
    const height = Math.max(...row.map(cell => cell.length));
    return Array.from({ length: height }, (_, i) =>
      line(widths.map((width, column) => aligned(row[column]?.[i] ?? '', width))),
    );
  });
  return [border, heading, border, ...body, border].join('\n');
}

function centred(text: string, width: number): string {
  return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width);
}

function aligned(text: string, width: number): string {
  return /^[0-9]+$/.test(text) ? text.padStart(width) : text.padEnd(width);
}

/** Lines of at most 30 characters, broken at spaces; a longer word stays whole. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > MAX_CELL) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
