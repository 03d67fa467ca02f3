/** A list in a cell. */
export function joined(items: readonly string[] | undefined): string {
  return (items ?? []).join(',');
}

/** What a cell shows for a value that is not there, where a blank would be ambiguous. */
export function orNil(text: string | undefined): string {
  return text ?? '<nil>';
}

/**
 * The order of a policy as tables show it: shortest digits, with an exponent below 1e-4 and from 1e6 on
 * (calicoctl.md 5.3).
 */
export function orderText(order: number | undefined): string {
  if (order === undefined) return '<nil>';
  const [digits = '0', exponentText = '0'] = order.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 6) return String(order);
  const sign = exponent < 0 ? '-' : '+';
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}
