/**
 * Failures of the outside world, and wrong input of the user. Printing is decided by `code`, in the front end.
 * A broken promise of our own code is neither: it is an assertion and ends as a bug report.
 */
export type ErrorCode =
  /** the user's input is wrong; see `issues` where there are any */
  | 'invalid'
  | 'not-found'
  | 'already-exists'
  /** somebody else changed the same thing at the same time, and retries are used up */
  | 'conflict'
  /** datastore, agent, daemon or kernel does not answer; trying again may help */
  | 'unavailable'
  | 'unauthorized'
  | 'unsupported'
  /** nothing left to give out: addresses, blocks, space on the disk */
  | 'exhausted'
  /** stored data does not have the form that it must have */
  | 'corrupt';

/** One thing that is wrong with what the user gave us; printed as one line. */
export interface Issue {
  /** where, as the user would write it: `spec.ingress[0].action` */
  readonly path: string;
  /** what stands there, as text */
  readonly value: string;
  /** what would have been right, as the end of "expected …" */
  readonly expected: string;
}

export class CalicoError extends Error {
  readonly code: ErrorCode;
  readonly issues: readonly Issue[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly cause?: unknown; readonly issues?: readonly Issue[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CalicoError';
    this.code = code;
    this.issues = options.issues ?? [];
  }
}

/** True when `error` is a CalicoError (with one of `codes`, when any are given). */
export function isCalicoError(error: unknown, ...codes: readonly ErrorCode[]): error is CalicoError {
  return error instanceof CalicoError && (codes.length === 0 || codes.includes(error.code));
}

/** The text of whatever was thrown, for a log line or a message. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
