/** `d.ddde+06`: an exponent has a sign and at least two digits. */
function withExponent(value: number): string {
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}

/**
 * A number as tables print it: the shortest digits that read back the same, with an exponent when the decimal
 * exponent is below -4 or at least 6 (`calicoctl.md` 5.3, ORDER).
 */
export function tableNumber(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const exponent = Number(value.toExponential().split('e')[1]);
  return exponent < -4 || exponent >= 6 ? withExponent(value) : String(value);
}

/** A number as YAML output prints it: integers of up to 64 bits in full, everything else as in tables. */
export function yamlNumber(value: number): string {
  if (!Number.isInteger(value)) return tableNumber(value);
  return Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : withExponent(value);
}
