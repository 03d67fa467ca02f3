import { Code, ConnectError } from '@connectrpc/connect';
import type { CallOptions } from '@connectrpc/connect';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Channel } from './channel.js';
import { revisionOf } from './messages.js';
import type { ByteRange } from './messages.js';
import type { WatchRequestSchema, WatchResponse } from './rpc_pb.js';

export interface WatchRequest {
  readonly range: ByteRange;
  /** tell what came after this revision */
  readonly afterRevision: number;
  /** ends the stream */
  readonly signal: AbortSignal;
}

export interface WatchStream {
  /** The server is behind the revision: it is another history, or a member that has not caught up. */
  readonly behind: boolean;
  /** without end, unless the connection is lost or the server ends it */
  readonly responses: AsyncIterable<WatchResponse>;
}

/**
 * Opens a watch and waits until the server has it: only then is the channel known to be good. The time limit
 * of the options is for that; an open watch has none.
 */
export async function openWatch(
  channel: Channel,
  { timeoutMs = 0, headers }: CallOptions,
  { range, afterRevision, signal }: WatchRequest,
): Promise<WatchStream> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), timeoutMs);
  const ended = AbortSignal.any([signal, late.signal]);
  const create = { ...range, startRevision: BigInt(afterRevision + 1), progressNotify: true };
  const stream = channel.watch.watch(requests(create, ended), {
    signal: ended,
    ...(headers && { headers }),
  });
  const responses = stream[Symbol.asyncIterator]();
  try {
    const { value, done } = await responses.next();
    if (done === true) throw new ConnectError('the watch ended at once', Code.Unavailable);
    const created: WatchResponse = value;
    if (created.canceled) throw cancellation(created.cancelReason);
    return {
      behind: revisionOf(created.header) < afterRevision,
      responses: { [Symbol.asyncIterator]: () => responses },
    };
  } catch (error) {
    const answer = late.signal.aborted ? new ConnectError('', Code.DeadlineExceeded) : error;
    late.abort(); // a refused watch leaves its stream open
    throw answer;
  } finally {
    clearTimeout(timer);
  }
}

/** The one request of the stream; while the requests go on, the server keeps it open. */
async function* requests(
  create: ByteRange & { readonly startRevision: bigint; readonly progressNotify: boolean },
  signal: AbortSignal,
): AsyncGenerator<MessageInitShape<typeof WatchRequestSchema>, void> {
  yield { requestUnion: { case: 'createRequest', value: create } };
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve());
  if (!signal.aborted) await promise;
}

/** A watch is refused by a message, not by the status of the call; the status stands in its text. */
function cancellation(reason: string): ConnectError {
  const [, name = '', text = reason] = /code = (\w+) desc = (.*)$/s.exec(reason) ?? [];
  const code = Object.entries(Code).find(([known]) => known === name)?.[1];
  return new ConnectError(text, typeof code === 'number' ? code : Code.Unavailable);
}
