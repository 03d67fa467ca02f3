/**
 * An unquoted scalar that is no text by YAML 1.1, where its own text does not survive the conversion: `010`
 * is 8, `yes` is true, `1.10` is 1.1. Which of both is meant depends on the field (`calicoctl.md` 4.2, D15).
 */
export class PlainScalar {
  readonly value: number | boolean;
  readonly source: string;

  constructor(value: number | boolean, source: string) {
    this.value = value;
    this.source = source;
  }
}

const TRUE = /^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/;

/** What YAML 1.1 reads as a boolean; undefined for everything else. */
export function plainBoolean(source: string): boolean | undefined {
  if (TRUE.test(source)) return true;
  return FALSE.test(source) ? false : undefined;
}

const DECIMAL = /^[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$/;
const OCTAL = /^[-+]?0[0-7_]+$/;
const PREFIXED = /^[-+]?0(?:x[0-9a-fA-F_]+|b[01_]+)$/;
const INFINITY = /^[-+]?\.(?:inf|Inf|INF)$/;
const NAN = /^\.(?:nan|NaN|NAN)$/;

/**
 * What YAML 1.1 reads as a number; undefined for everything else. Base 60 is left a text, as the original did:
 * `10:20` is a range of ports.
 */
export function plainNumber(source: string): number | undefined {
  if (/^(?:0|[1-9][0-9]{0,14})$/.test(source)) return Number(source);
  const sign = source.startsWith('-') ? -1 : 1;
  const digits = source.replace(/^[-+]/, '').replaceAll('_', '');
  if (OCTAL.test(source)) return sign * Number.parseInt(digits, 8);
  if (DECIMAL.test(source)) return sign * Number(digits);
  if (PREFIXED.test(source)) return sign * Number(digits);
  if (INFINITY.test(source)) return sign * Infinity;
  return NAN.test(source) ? NaN : undefined;
}
