import { once } from 'node:events';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import { CalicoError, messageOf } from '../base/index.js';
import type { Logger } from '../base/index.js';
import type { CniHandler } from './handler.js';
import { decodeRequest, encodeAnswer, maxRequestBytes } from './protocol.js';

/** A launcher sends at once what it has: one that does not is stuck. */
const receiveLimitMs = 10_000;

export interface CniServer {
  /** Stops listening, and waits for the requests under way and for what they left to be done later. */
  close(): Promise<void>;
}

/**
 * Listens for launchers on a Unix socket that only root may use. A socket file that is left over is replaced:
 * that no other agent is alive is for the caller to know.
 */
export async function startCniServer(options: {
  readonly socketPath: string;
  readonly handle: CniHandler;
  readonly log: Logger;
}): Promise<CniServer> {
  const { socketPath, handle, log } = options;
  const underWay = new Set<Promise<void>>();
  const server = createServer({ allowHalfOpen: true }, socket => {
    const serving = serve(socket, handle).catch((error: unknown) => {
      log.warn('a CNI request could not be served', { error: messageOf(error) });
      socket.destroy();
    });
    underWay.add(serving);
    void serving.finally(() => underWay.delete(serving));
  });
  await mkdir(dirname(socketPath), { recursive: true, mode: 0o700 });
  await rm(socketPath, { force: true });
  server.listen(socketPath);
  await once(server, 'listening');
  await chmod(socketPath, 0o600);
  return {
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      await Promise.all(underWay);
      await handle.idle?.();
      await closed;
    },
  };
}

async function serve(socket: Socket, handle: CniHandler): Promise<void> {
  // The launcher may be killed while it waits: the operation goes on, its answer is for nobody.
  socket.on('error', () => undefined);
  const answer = encodeAnswer(await handle(decodeRequest(await receive(socket))));
  socket.end(answer);
}

async function receive(socket: Socket): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (reason: string): void => reject(new CalicoError('invalid', `CNI request: ${reason}`));
    socket.setTimeout(receiveLimitMs, () => fail('the launcher sent nothing more'));
    socket.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxRequestBytes) fail(`larger than ${String(maxRequestBytes)} bytes`);
      else chunks.push(chunk);
    });
    socket.on('close', () => fail('the launcher went away'));
    socket.on('end', () => {
      socket.setTimeout(0);
      resolve(Buffer.concat(chunks));
    });
  });
}
