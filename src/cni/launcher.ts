import { connect } from 'node:net';
import { messageOf } from '../base/index.js';
import { parseAttachment } from './attachment.js';
import { queueDelete } from './delete-queue.js';
import { CniError, asCniError, cniCode, formatError } from './errors.js';
import { decodeAnswer, encodeRequest } from './protocol.js';
import type { CniAnswer, CniRequest } from './protocol.js';
import { formatVersions, versionForAnswer } from './versions.js';

/** A little more than an ADD may take. */
const answerLimitMs = 60_000;

/**
 * Passes a request to the agent: the Node form of `native/calico-cni.c`, for machines without a C compiler.
 * Without an agent VERSION is answered, a DEL is queued on disk, and all else fails so that it is tried again.
 */
export async function launch(options: {
  readonly request: CniRequest;
  readonly socketPath: string;
  readonly stateDir: string;
}): Promise<CniAnswer> {
  const { request, socketPath, stateDir } = options;
  if (request.command === 'VERSION') return { exitCode: 0, stdout: formatVersions(request.stdin) };
  const failure = (error: CniError): CniAnswer => ({
    exitCode: 1,
    stdout: formatError(versionForAnswer(request.stdin), error),
  });
  const answered = await ask(socketPath, encodeRequest(request)).catch((error: unknown) => messageOf(error));
  if (typeof answered === 'object') return answered;
  const reason = `calico-node does not answer at ${socketPath}: ${answered ?? 'it went away'}`;
  if (request.command === 'STATUS') return failure(new CniError(cniCode.limited, reason));
  if (request.command !== 'DEL') return failure(new CniError(cniCode.tryAgainLater, reason));
  try {
    parseAttachment(request);
    await queueDelete(stateDir, request);
    return { exitCode: 0, stdout: '' };
  } catch (error) {
    return failure(asCniError(error, cniCode.tryAgainLater));
  }
}

async function ask(socketPath: string, request: Buffer): Promise<CniAnswer | undefined> {
  return await new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    socket.setTimeout(answerLimitMs, () => socket.destroy(new Error('it takes too long')));
    socket.on('error', reject);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => resolve(decodeAnswer(Buffer.concat(chunks))));
    socket.end(request);
  });
}
