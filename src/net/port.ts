/** Inclusive range of ports; a single port has min = max. */
export interface PortRange {
  readonly min: number;
  readonly max: number;
}

/** `80` or `100:200`: the form in which a range is stored and printed. */
export function formatPortRange({ min, max }: PortRange): string {
  return min === max ? String(min) : `${String(min)}:${String(max)}`;
}
