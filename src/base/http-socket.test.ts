import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askSocket, serveOnSocket } from './http-socket.js';

describe('a server behind a Unix socket', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-http-'));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  test('answers what the handler says, 404 for what it does not know and 500 when it fails', async () => {
    const path = join(directory, 'x.sock');
    const server = await serveOnSocket(path, async (method, asked) => {
      if (asked === '/broken') throw new Error('broken');
      await Promise.resolve();
      return asked === '/hello' ? { status: 200, type: 'text/plain', body: `${method} hello` } : undefined;
    });
    try {
      expect(await askSocket(path, '/hello')).toEqual({ status: 200, body: 'GET hello' });
      expect(await askSocket(path, '/else')).toMatchObject({ status: 404 });
      expect(await askSocket(path, '/broken')).toMatchObject({ status: 500 });
      expect((await stat(path)).mode & 0o777).toBe(0o600);
    } finally {
      server.close();
    }
  });

  test('takes the place of a socket that a dead process left', async () => {
    const path = join(directory, 'x.sock');
    const handler = async (): Promise<undefined> => {
      await Promise.resolve();
      return undefined;
    };
    const first = await serveOnSocket(path, handler);
    first.close();
    const second = await serveOnSocket(path, handler);
    expect(await askSocket(path, '/')).toMatchObject({ status: 404 });
    second.close();
    await expect(askSocket(join(directory, 'none.sock'), '/')).rejects.toThrow('ENOENT');
  });
});
