import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ControlSocket } from './control-socket.js';

const GREETING = '0001 BIRD 2.0.12 ready.\n';

describe("a connection to BIRD's control socket", () => {
  let folder: string;
  let path: string;
  let server: Server;
  const connections = new Set<Socket>();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'calico-control-'));
    path = join(folder, 'bird.ctl');
  });

  afterEach(async () => {
    for (const connection of connections) connection.destroy();
    connections.clear();
    await new Promise(resolve => server.close(resolve));
    rmSync(folder, { recursive: true });
  });

  async function serve(greeting: string, answer: (line: string, connection: Socket) => void): Promise<void> {
    server = createServer(connection => {
      connections.add(connection);
      connection.on('error', () => undefined);
      connection.write(greeting);
      connection.on('data', data => answer(data.toString().trim(), connection));
    });
    await new Promise<void>(resolve => server.listen(path, resolve));
  }

  test('gives up its rights first when it only reads, and has an answer for each command', async () => {
    const heard: string[] = [];
    await serve(GREETING, (line, connection) => {
      heard.push(line);
      connection.write(line === 'restrict' ? '0016 Access restricted\n' : '1000-BIRD 2.0.12\n0013 up\n');
    });
    const control = await ControlSocket.open({ path, readOnly: true });
    const reply = await control.command('show status');
    expect(reply).toEqual({
      code: 13,
      lines: [
        { code: 1000, text: 'BIRD 2.0.12' },
        { code: 13, text: 'up' },
      ],
    });
    expect(heard).toEqual(['restrict', 'show status']);
    control.close();
    await control.closed;
  });

  test('to nobody is unavailable', async () => {
    await serve(GREETING, () => undefined);
    const open = ControlSocket.open({ path: `${path}.none`, readOnly: false });
    await expect(open).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('to something else is corrupt', async () => {
    await serve('220 mail.example.com ESMTP\n', () => undefined);
    await expect(ControlSocket.open({ path, readOnly: false })).rejects.toMatchObject({ code: 'corrupt' });
  });

  test('to a daemon that is silent is given up after the time limit', async () => {
    await serve('', () => undefined);
    const open = ControlSocket.open({ path, readOnly: false, timeoutMs: 50 });
    await expect(open).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('50 ms'),
    });
  });

  test('that ends in the middle of an answer fails the command, and each one after it', async () => {
    await serve(GREETING, (_line, connection) => connection.end('1000-BIRD'));
    const control = await ControlSocket.open({ path, readOnly: false });
    await expect(control.command('show status')).rejects.toMatchObject({ code: 'unavailable' });
    await control.closed;
    await expect(control.command('show status')).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('takes no command that is more than a line', async () => {
    await serve(GREETING, () => undefined);
    const control = await ControlSocket.open({ path, readOnly: false });
    await expect(control.command('show status\ndown')).rejects.toMatchObject({ code: 'invalid' });
    control.close();
  });
});
