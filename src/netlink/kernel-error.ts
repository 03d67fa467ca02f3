import { getSystemErrorMessage, getSystemErrorName } from 'node:util';
import { CalicoError } from '../base/index.js';
import type { ErrorCode } from '../base/index.js';

/** What the kernel said to a request: 0 or a negated errno, and its extended acknowledgement where it gave one. */
export interface KernelAnswer {
  readonly result: number;
  readonly words?: string;
  /** where in the request, header included, the kernel found the fault */
  readonly offset?: number;
  /** the request was sent more than once, because the kernel had dropped it without a word */
  readonly repeated?: boolean;
}

const codes: Readonly<Record<string, ErrorCode>> = {
  EEXIST: 'already-exists',
  ENODEV: 'not-found',
  ENOENT: 'not-found',
  ESRCH: 'not-found',
  ENXIO: 'not-found',
  EPERM: 'unauthorized',
  EACCES: 'unauthorized',
  EOPNOTSUPP: 'unsupported',
  ENOTSUP: 'unsupported',
  EAFNOSUPPORT: 'unsupported',
  EPROTONOSUPPORT: 'unsupported',
  EINVAL: 'invalid',
  ERANGE: 'invalid',
  EBUSY: 'conflict',
  EMFILE: 'exhausted',
  ENFILE: 'exhausted',
  ENOMEM: 'exhausted',
  ENOSPC: 'exhausted',
};

/** The error for a request that failed: `add route 10.0.0.1/32: Nexthop has invalid gateway (ENETUNREACH)`. */
export function kernelError(operation: string, answer: KernelAnswer): CalicoError {
  const name = getSystemErrorName(answer.result);
  const words = answer.words ?? getSystemErrorMessage(answer.result);
  return new CalicoError(codes[name] ?? 'unavailable', `${operation}: ${words} (${name})`);
}

/** Throws unless the answer is success, or one of the results that mean there was nothing to do. */
export function expectSuccess(
  operation: string,
  answer: KernelAnswer,
  tolerated: readonly number[] = [],
): void {
  if (answer.result < 0 && !tolerated.includes(answer.result)) throw kernelError(operation, answer);
}
