import { isCalicoError, messageOf } from '../base/index.js';

/** Error codes of the CNI specification (1 to 99) and of this plugin (100 and up). */
export const cniCode = {
  incompatibleVersion: 1,
  badEnvironment: 4,
  cannotDecode: 6,
  badConfiguration: 7,
  tryAgainLater: 11,
  notAvailable: 50,
  /** and containers that exist may have limited connectivity */
  limited: 51,
  generic: 100,
  noAddressLeft: 101,
  addressInUse: 102,
  outsidePools: 103,
  kernel: 104,
} as const;

/** A failure as the container runtime is told of it. */
export class CniError extends Error {
  /** one of `cniCode`, or what an IPAM plugin answered */
  readonly code: number;
  readonly details: string;

  constructor(
    code: number,
    message: string,
    options: { readonly cause?: unknown; readonly details?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CniError';
    this.code = code;
    this.details = options.details ?? '';
  }
}

/** Whatever was thrown, as a CNI error; `fallback` for what no rule covers. */
export function asCniError(error: unknown, fallback: number = cniCode.generic): CniError {
  if (error instanceof CniError) return error;
  const code = isCalicoError(error, 'unavailable', 'conflict') ? cniCode.tryAgainLater : fallback;
  return new CniError(code, messageOf(error), { cause: error });
}

/** A failed assignment of addresses, as a CNI error. */
export function asAddressError(error: unknown): CniError {
  if (isCalicoError(error, 'exhausted')) return asCniError(error, cniCode.noAddressLeft);
  if (isCalicoError(error, 'already-exists')) return asCniError(error, cniCode.addressInUse);
  if (isCalicoError(error, 'invalid', 'not-found')) return asCniError(error, cniCode.outsidePools);
  return asCniError(error);
}

/** The error object of the CNI specification. */
export function formatError(cniVersion: string, { code, message, details }: CniError): string {
  const more = details === '' ? {} : { details };
  return `${JSON.stringify({ cniVersion, code, msg: message, ...more }, undefined, 4)}\n`;
}
