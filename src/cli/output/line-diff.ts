/** A line of two texts that were compared. */
export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added';
  readonly text: string;
}

/** Cells of the table of the longest common lines; larger texts are shown as removed and added whole. */
const MOST_CELLS = 4_000_000;

/** Lengths of the longest common lines of all ends of both texts, row by row. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint32Array {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const at = i * width + j;
      lengths[at] =
        a[i] === b[j]
          ? (lengths[at + width + 1] ?? 0) + 1
          : Math.max(lengths[at + width] ?? 0, lengths[at + 1] ?? 0);
    }
  }
  return lengths;
}

function middle(a: readonly string[], b: readonly string[]): readonly DiffLine[] {
  const removed = (text: string): DiffLine => ({ kind: 'removed', text });
  const added = (text: string): DiffLine => ({ kind: 'added', text });
  const width = b.length + 1;
  if ((a.length + 1) * width > MOST_CELLS) return [...a.map(removed), ...b.map(added)];
  const lengths = commonLengths(a, b);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left = '', right = ''] = [a[i], b[j]];
    if (left === right) {
      lines.push({ kind: 'same', text: left });
      i++;
      j++;
    } else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) {
      lines.push(removed(left));
      i++;
    } else {
      lines.push(added(right));
      j++;
    }
  }
  return [...lines, ...a.slice(i).map(removed), ...b.slice(j).map(added)];
}

/** The lines of both texts in one order, with the fewest that are not the same. */
export function diffLines(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const same = (text: string): DiffLine => ({ kind: 'same', text });
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  return [
    ...before.slice(0, start).map(same),
    ...middle(before.slice(start, before.length - end), after.slice(start, after.length - end)),
    ...before.slice(before.length - end).map(same),
  ];
}

/** Lines around a change that are shown with it. */
const CONTEXT = 3;

/**
 * The changes between two texts as a unified diff without its header, or nothing when they are equal. `a` and
 * `b` are lines without newline.
 */
export function unifiedDiff(a: readonly string[], b: readonly string[]): readonly string[] {
  const lines = diffLines(a, b);
  const marks = { same: ' ', removed: '-', added: '+' } as const;
  const changed = lines.flatMap(({ kind }, index) => (kind === 'same' ? [] : [index]));
  const shown: string[] = [];
  let [from, to, left, right] = [0, 0, 1, 1];
  for (let k = 0; k < changed.length; k++) {
    const start = Math.max(to, (changed[k] ?? 0) - CONTEXT);
    while (k + 1 < changed.length && (changed[k + 1] ?? 0) - (changed[k] ?? 0) <= 2 * CONTEXT) k++;
    for (const line of lines.slice(from, start)) {
      if (line.kind !== 'added') left++;
      if (line.kind !== 'removed') right++;
    }
    to = Math.min(lines.length, (changed[k] ?? 0) + CONTEXT + 1);
    const hunk = lines.slice(start, to);
    const count = (without: DiffLine['kind']): number => hunk.filter(({ kind }) => kind !== without).length;
    const [lefts, rights] = [count('added'), count('removed')];
    shown.push(
      `@@ -${String(lefts === 0 ? 0 : left)},${String(lefts)} +${String(rights === 0 ? 0 : right)},${String(rights)} @@`,
      ...hunk.map(({ kind, text }) => `${marks[kind]}${text}`),
    );
    left += lefts;
    right += rights;
    from = to;
  }
  return shown;
}
