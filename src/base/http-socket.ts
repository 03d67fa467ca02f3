import type { Server } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  /** `application/json`, `text/plain`, with or without parameters */
  readonly type: string;
  readonly body: string;
}

/** What is asked: `GET /status`. Undefined is answered with 404. */
export type HttpHandler = (method: string, path: string) => Promise<HttpAnswer | undefined>;

async function createHandlerServer(handler: HttpHandler): Promise<Server> {
  // node:http costs tens of milliseconds: only those who use it pay, and no short command of calicoctl does.
  const { createServer } = await import('node:http');
  return createServer((request, response) => {
    const answer = handler(request.method ?? 'GET', request.url ?? '/');
    answer
      .then(found => found ?? { status: 404, type: 'text/plain', body: 'not found\n' })
      .catch((error: unknown) => ({ status: 500, type: 'text/plain', body: `${String(error)}\n` }))
      .then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type });
        response.end(body);
      })
      .catch(() => response.destroy());
  });
}

async function listen(server: Server, start: (listening: () => void) => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    start(resolve);
  });
}

/** Serves `handler` on a Unix socket that only root may use. A stale socket of a dead agent is replaced. */
export async function serveOnSocket(path: string, handler: HttpHandler): Promise<Server> {
  // As node:http, node:fs/promises is loaded by those who serve, and not by every short command.
  const { chmod, rm } = process.getBuiltinModule('node:fs/promises');
  await rm(path, { force: true });
  const server = await createHandlerServer(handler);
  // Between listen and chmod the socket has the mode that the umask leaves: the directory is 0700.
  await listen(server, listening => server.listen(path, listening));
  await chmod(path, 0o600);
  return server;
}

/** Serves `handler` on a TCP port of one address of this host. */
export async function serveOnPort(host: string, port: number, handler: HttpHandler): Promise<Server> {
  const server = await createHandlerServer(handler);
  await listen(server, listening => server.listen({ host, port }, listening));
  return server;
}

/** Ends a server and every connection to it. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
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
