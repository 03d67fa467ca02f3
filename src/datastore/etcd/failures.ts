import { Code, ConnectError } from '@connectrpc/connect';
import { CalicoError } from '../../base/index.js';
import type { ErrorCode } from '../../base/index.js';

/** The words that an operator of the original knows (calicoctl.md 2.4). */
export const unavailable = 'client: etcd cluster is unavailable or misconfigured';
const unauthorized = 'connection is unauthorized';

/** What is said of a connection that ended without a word. */
export const connectionClosed = 'closed the connection';

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
  const { code, text } = wordsOf(error) ?? { code: 'unavailable', text: error.rawMessage };
  const start = code === 'unauthorized' ? unauthorized : `datastore`;
  return new CalicoError(code, `${start}: ${url}: ${text}`, { cause: error });
}

/** No server could be used. */
export function noServer(faults: readonly Fault[], cause: unknown): CalicoError {
  const texts = faults.map(({ url, text }) => `${url}: ${text}`).join('; ');
  const settings = new Set(faults.map(({ check }) => check));
  return new CalicoError('unavailable', `${unavailable}: ${texts}; check ${[...settings].join(', ')}`, {
    cause,
  });
}

/** The server was lost with a change on its way. */
export function unknownOutcome({ url, text }: Fault, cause: unknown): CalicoError {
  const unknown = 'whether the change was made is not known, look before you repeat it';
  return new CalicoError('unavailable', `${unavailable}: ${url}: ${text}; ${unknown}`, { cause });
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

/** What kept a server from answering, and the setting to look at. */
export interface Fault {
  readonly url: string;
  readonly text: string;
  readonly check: string;
}

/** What became of a call or a connection to the server. */
export function faultOf(error: unknown, url: string): Fault {
  const { code, message } = rootOf(error);
  const [, text, check = 'ETCD_ENDPOINTS'] = faults.find(([pattern]) => pattern.test(code)) ?? [];
  if (text !== undefined) return { url, text: text.replace('%', message), check };
  if (message !== connectionClosed) return { url, text: message, check };
  const hint = url.startsWith('https:') ? 'does it speak TLS?' : 'does it want https://?';
  return { url, text: `${connectionClosed}; ${hint}`, check };
}

/** Codes of the system, of OpenSSL and of its verification, as Node names them; % is what was said. */
const faults: readonly (readonly [pattern: RegExp, text: string, check?: string])[] = [
  [/^ECONNREFUSED$/, 'connection refused'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'the name is not known to DNS'],
  [/^(EHOSTUNREACH|ENETUNREACH)$/, 'no route to it'],
  [/^ERR_HTTP2_ERROR$/, 'is no etcd: it speaks no HTTP/2'],
  [/^ECONNRESET$/, 'the connection was reset'],
  [/^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/, 'speaks no TLS; write http://'],
  [
    /CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA/,
    'wants a certificate that it trusts from us',
    'ETCD_CERT_FILE and ETCD_KEY_FILE',
  ],
  [/CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/, 'its certificate is not good: %', 'ETCD_CA_CERT_FILE'],
];

/** The first error in the chain of causes that has a code of the system, or else the last one. */
function rootOf(error: unknown): { readonly code: string; readonly message: string } {
  let message = '';
  for (let each = error; each instanceof Error; each = each.cause) {
    message = each instanceof ConnectError ? (callFaults.get(each.code) ?? each.rawMessage) : each.message;
    if ('code' in each && typeof each.code === 'string') {
      // Behind a semicolon Node advises on options of its own.
      return { code: each.code, message: message.split(';')[0] ?? message };
    }
  }
  return { code: '', message };
}

/** What the library says of streams, in words of an operator. */
const callFaults: ReadonlyMap<Code, string> = new Map([
  [Code.DeadlineExceeded, 'no answer in time'],
  [Code.Canceled, 'the connection was lost'],
  [Code.Aborted, 'the connection was lost'],
]);
