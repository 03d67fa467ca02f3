import { Code, ConnectError } from '@connectrpc/connect';
import { CalicoError, messageOf } from '../../base/index.js';
import type { ErrorCode } from '../../base/index.js';

/** The words that an operator of the original knows (calicoctl.md 2.4). */
const unavailable = 'client: etcd cluster is unavailable or misconfigured';
const unauthorized = 'connection is unauthorized';

/** True when the connection failed, or the server could not serve: another server may. */
export function isServerFault(error: unknown): boolean {
  return error instanceof ConnectError && wordsOf(error) === undefined;
}

/** The revision that was asked for is forgotten. */
export function isCompacted(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.OutOfRange;
}

/** What one server said to a call, in words that say what to check. */
export function refusal(error: unknown, url: string): unknown {
  if (!(error instanceof ConnectError)) return error;
  const { code, text } = wordsOf(error) ?? { code: 'unavailable', text: faultText(error) };
  const start = code === 'unauthorized' ? unauthorized : `datastore`;
  return new CalicoError(code, `${start}: ${url}: ${text}`, { cause: error });
}

/** No server could be used; `faults` are of the form `URL: what happened`. */
export function noServer(faults: readonly string[], cause: unknown): CalicoError {
  return new CalicoError('unavailable', `${unavailable}: ${faults.join('; ')}; check ETCD_ENDPOINTS`, {
    cause,
  });
}

/** The server was lost with a change on its way. */
export function unknownOutcome(fault: string, cause: unknown): CalicoError {
  return new CalicoError(
    'unavailable',
    `${unavailable}: ${fault}; whether the change was made is not known, look before you repeat it`,
    { cause },
  );
}

/** A commit that etcd would refuse. */
export function tooLarge(text: string): CalicoError {
  return new CalicoError(
    'exhausted',
    `datastore: ${text} in one transaction; nothing was written; write less at a time`,
  );
}

interface Words {
  readonly code: ErrorCode;
  readonly text: string;
}

const words = {
  full: {
    code: 'exhausted',
    text: "etcd's disk quota is used up; nothing was written; compact and defragment it, or raise its --quota-backend-bytes",
  },
  operations: {
    code: 'exhausted',
    text: 'the change has more keys than this etcd takes in one transaction (its --max-txn-ops); nothing was written; write less at a time',
  },
  bytes: {
    code: 'exhausted',
    text: 'the change is larger than this etcd takes in one transaction (its --max-request-bytes); nothing was written; write less at a time',
  },
  password: {
    code: 'unauthorized',
    text: 'wrong user or password; check ETCD_USERNAME and ETCD_PASSWORD',
  },
  noUser: {
    code: 'unauthorized',
    text: 'etcd asks who we are; set ETCD_USERNAME and ETCD_PASSWORD, or ETCD_CERT_FILE and ETCD_KEY_FILE',
  },
  token: {
    code: 'unauthorized',
    text: 'etcd does not keep the token that it gave; check its --auth-token',
  },
  denied: {
    code: 'unauthorized',
    text: 'permission denied; check the role of ETCD_USERNAME (or of the name in ETCD_CERT_FILE)',
  },
  notEtcd: {
    code: 'unsupported',
    text: 'is no etcd v3 server; check ETCD_ENDPOINTS',
  },
  forgotten: {
    code: 'unavailable',
    text: 'the history was cut again and again while it was read; check --auto-compaction-retention',
  },
} as const satisfies Record<string, Words>;

/** Refusals, which every server of the cluster would repeat: the first whose code and part of text match. */
const refusals: readonly (readonly [Code, string, Words])[] = [
  [Code.InvalidArgument, 'too many operations', words.operations],
  [Code.InvalidArgument, 'too large', words.bytes],
  [Code.InvalidArgument, 'authentication failed', words.password],
  [Code.InvalidArgument, 'user name is empty', words.noUser],
  [Code.ResourceExhausted, 'larger than max', words.bytes],
  [Code.ResourceExhausted, 'space exceeded', words.full],
  [Code.PermissionDenied, '', words.denied],
  [Code.Unauthenticated, '', words.token],
  [Code.Unimplemented, '', words.notEtcd],
  [Code.OutOfRange, '', words.forgotten],
];

function wordsOf({ code, rawMessage }: ConnectError): Words | undefined {
  const [, , found] = refusals.find(([of, text]) => of === code && rawMessage.includes(text)) ?? [];
  return found;
}

/** What kept a server from answering, with the setting to check where that is not its endpoint. */
export function faultText(error: unknown): string {
  const [code, message] = rootOf(error);
  for (const [pattern, text] of faults) if (pattern.test(code)) return text;
  if (certificateFaults.test(code)) return `its certificate is not good: ${message}; check ETCD_CA_CERT_FILE`;
  if (error instanceof ConnectError && error.code === Code.DeadlineExceeded)
    return error.rawMessage.startsWith('no ') ? error.rawMessage : 'no answer in time';
  return message;
}

const faults: readonly (readonly [RegExp, string])[] = [
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the name is not known to DNS'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'no route to it'],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/, 'speaks no TLS; write http:// for https://'],
  [
    /CERTIFICATE_REQUIRED|BAD_CERTIFICATE/,
    'does not accept our certificate, or wants one; check ETCD_CERT_FILE',
  ],
];

/** Codes of OpenSSL's verification, as Node names them. */
const certificateFaults = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|HOSTNAME_MISMATCH/;

/** Code and message of the first error in the chain of causes that has a code of the system. */
function rootOf(error: unknown): readonly [string, string] {
  for (let each = error; each instanceof Error; each = each.cause) {
    if ('code' in each && typeof each.code === 'string') return [each.code, messageOf(each)];
  }
  return ['', error instanceof ConnectError ? error.rawMessage : messageOf(error)];
}
