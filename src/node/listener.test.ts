import { afterEach, describe, expect, test, vi } from 'vitest';
import { closeServer, serveOnPort, silentLogger, systemClock } from '../base/index.js';
import { Listener } from './listener.js';

const answer = async (): Promise<{ status: number; type: string; body: string }> =>
  await Promise.resolve({ status: 200, type: 'text/plain', body: 'here\n' });

const listener = new Listener({ name: 'health', handler: answer, clock: systemClock, log: silentLogger });

async function bodyAt(port: number): Promise<string | undefined> {
  return await fetch(`http://127.0.0.1:${String(port)}/`).then(
    async response => await response.text(),
    () => undefined,
  );
}

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = await serveOnPort('127.0.0.1', 0, answer);
  const address = server.address();
  await closeServer(server);
  return address !== null && typeof address === 'object' ? address.port : 0;
}

afterEach(async () => {
  await listener.move(undefined);
});

describe('a listener over TCP', () => {
  test('is where it was moved to last, and nowhere else', async () => {
    const [first, second] = [await freePort(), await freePort()];
    await listener.move({ host: '127.0.0.1', port: first });
    expect(await bodyAt(first)).toBe('here\n');
    await listener.move({ host: '127.0.0.1', port: second });
    expect(await bodyAt(first)).toBeUndefined();
    expect(await bodyAt(second)).toBe('here\n');
    await listener.move(undefined);
    expect(await bodyAt(second)).toBeUndefined();
  });

  test('says that its port is taken, and takes it when it becomes free', async () => {
    const port = await freePort();
    const other = await serveOnPort('127.0.0.1', port, answer);
    await listener.move({ host: '127.0.0.1', port });
    expect(listener.problem).toMatch(/^health is not answered: .*EADDRINUSE/);
    await closeServer(other);
    await vi.waitUntil(() => listener.problem === undefined, { timeout: 10_000 });
    expect(await bodyAt(port)).toBe('here\n');
  });
});
