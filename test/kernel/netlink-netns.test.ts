import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLibc } from '../../src/netlink/libc.js';
import type { Libc } from '../../src/netlink/libc.js';
import { openNetns, warmThreadPool, withNetns } from '../../src/netlink/netns.js';
import { createTestNet } from '../support/netns.js';

const net = createTestNet();
let libc: Libc;
let other: number;

beforeAll(async () => {
  await warmThreadPool();
  libc = await loadLibc();
  other = openNetns(await net.add('other'));
});

afterAll(async () => {
  await net.remove();
  libc.close(other);
});

const here = (): string => readlinkSync('/proc/thread-self/ns/net');

describe('a visit to another namespace', () => {
  test('sees its network and returns what was read there', async () => {
    const home = here();
    await net.run('other', 'ip', 'link', 'add', 'only-there', 'type', 'bridge');
    const seen = withNetns(libc, other, () => ({
      ns: here(),
      devices: readFileSync('/proc/thread-self/net/dev', 'utf8'),
    }));
    expect(seen.ns).not.toBe(home);
    expect(seen.devices).toContain('only-there:');
    expect(readFileSync('/proc/thread-self/net/dev', 'utf8')).not.toContain('only-there:');
    expect(here()).toBe(home);
  });

  test('ends where it began, also by an exception and from within another visit', () => {
    const home = here();
    const fds = (): number => readdirSync('/proc/self/fd').length;
    const before = fds();
    expect(() =>
      withNetns(libc, other, () => {
        const there = here();
        expect(() =>
          withNetns(libc, other, () => {
            throw new Error('inner');
          }),
        ).toThrow('inner');
        expect(here()).toBe(there);
        throw new Error('outer');
      }),
    ).toThrow('outer');
    expect(here()).toBe(home);
    expect(fds()).toBe(before);
  });

  test('must not be asynchronous', () => {
    const home = here();
    expect(() => withNetns(libc, other, async () => await Promise.reject(new Error('later')))).toThrow(
      TypeError,
    );
    expect(here()).toBe(home);
  });

  test('to what is no namespace fails before anything is done', () => {
    const home = here();
    const file = openNetns('/proc/self/status');
    let done = false;
    expect(() => {
      withNetns(libc, file, () => {
        done = true;
      });
    }).toThrow('enter network namespace');
    libc.close(file);
    expect(done).toBe(false);
    expect(here()).toBe(home);
  });

  test("does not take the pool's threads along", async () => {
    const own = readFileSync('/proc/thread-self/net/dev', 'utf8').replaceAll(/\d+/g, '');
    const reading = withNetns(libc, other, () => ({ later: readFile('/proc/thread-self/net/dev', 'utf8') }));
    expect((await reading.later).replaceAll(/\d+/g, '')).toBe(own);
  });
});
