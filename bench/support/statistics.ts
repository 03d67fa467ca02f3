/** The value below which that part of the values lies; NaN when there is none. */
export function quantile(values: readonly number[], part: number): number {
  return (
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ?? NaN
  );
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Between which two values the true median lies with 95 % confidence, by the order of the values alone. */
export function medianRange(values: readonly number[]): readonly [from: number, to: number] {
  const margin = 0.98 / Math.sqrt(values.length);
  return [quantile(values, 0.5 - margin), quantile(values, 0.5 + margin)];
}
