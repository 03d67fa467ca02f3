/** Edits (insert, delete, replace, swap of neighbours) that turn one word into the other. */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array<number>(b.length).fill(0)]);
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  rows[0] = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, at(i - 2, j - 2) + 1);
      const row = rows[i];
      if (row !== undefined) row[j] = best;
    }
  }
  return at(a.length, b.length);
}

/** The known word that was probably meant: at most 2 edits away, and at most a third of its length. */
export function nearestWord(typed: string, known: Iterable<string>): string | undefined {
  if (typed.length > 64) return undefined;
  let best: { readonly word: string; readonly edits: number } | undefined;
  for (const word of known) {
    const edits = distance(typed.toLowerCase(), word.toLowerCase());
    const limit = Math.min(2, Math.max(1, Math.floor(word.length / 3)));
    if (edits <= limit && (best === undefined || edits < best.edits)) best = { word, edits };
  }
  return best?.word;
}
