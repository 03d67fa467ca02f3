import { chmod, rm } from 'node:fs/promises';
import type { Server } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly type: 'application/json' | 'text/plain';
  readonly body: string;
}

/** What is asked: `GET /status`. Undefined is answered with 404. */
export type HttpHandler = (method: string, path: string) => Promise<HttpAnswer | undefined>;

/** Serves `handler` on a Unix socket that only root may use. A stale socket of a dead agent is replaced. */
export async function serveOnSocket(path: string, handler: HttpHandler): Promise<Server> {
  // node:http costs tens of milliseconds: only those who use it pay, and no short command of calicoctl does.
  const { createServer } = await import('node:http');
  await rm(path, { force: true });
  const server = createServer((request, response) => {
    const answer = handler(request.method ?? 'GET', request.url ?? '/');
    answer
      .then(found => found ?? { status: 404, type: 'text/plain' as const, body: 'not found\n' })
      .catch((error: unknown) => ({ status: 500, type: 'text/plain' as const, body: `${String(error)}\n` }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type });
        response.end(body);
      })
      .catch(() => response.destroy());
  });
  // Between listen and chmod the socket has the mode that the umask leaves: the directory is 0700.
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
}

/** Asks a server behind a Unix socket; rejects when nobody answers within two seconds. */
export async function askSocket(socketPath: string, path: string): Promise<{ status: number; body: string }> {
  const { request } = await import('node:http');
  return await new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, timeout: 2_000 }, response => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer within 2 s')));
    asked.on('error', reject);
    asked.end();
  });
}
