import { CalicoError, isCalicoError } from '../../base/index.js';

/** Tells of `--no-atomic` where a store takes less at once than was asked for. */
export function withAdvice(error: unknown): unknown {
  if (!isCalicoError(error, 'exhausted') || !error.message.includes('one transaction')) return error;
  return new CalicoError(error.code, `${error.message} (--no-atomic does so)`, { cause: error });
}
