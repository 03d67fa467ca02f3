import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork, NetworkChange } from '../../src/netlink/index.js';
import { createTestNet, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

let net: TestNet;
let host: HostNetwork;
let changes: NetworkChange[];

beforeEach(async () => {
  net = createTestNet();
  host = await openHostNetwork({ netns: await net.add('host') });
  changes = [];
});

afterEach(async () => {
  await net.remove();
  host.close();
});

const kinds = (): readonly string[] => changes.flatMap(({ events }) => events.map(({ kind }) => kind));

describe('a watch', () => {
  test('tells of links, addresses and routes, whoever changed them', async () => {
    host.watch(change => changes.push(change));
    await net.run('host', 'ip', 'link', 'add', 'cali1', 'type', 'veth', 'peer', 'name', 'far');
    await eventually('the link is announced', () => changes.some(({ links }) => links));
    const index = host.linkByName('cali1')?.index ?? 0;
    host.setLinkUp(index);
    host.addAddress(index, '10.9.0.1/32');
    host.replaceRoute({ destination: '10.1.0.1/32', interfaceIndex: index });
    await net.run('host', 'ip', 'route', 'replace', '10.1.0.1', 'dev', 'lo', 'proto', 'static');
    await net.run('host', 'ip', 'route', 'del', '10.1.0.1');
    await host.deleteLink(index);
    await eventually('the end of the link is announced', () => kinds().includes('link-gone'));
    const events = changes.flatMap(change => change.events);
    expect(events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ kind: 'link', link: expect.objectContaining({ name: 'cali1', up: true }) }),
        expect.objectContaining({
          kind: 'address',
          address: expect.objectContaining({ address: '10.9.0.1/32', interfaceIndex: index }),
        }),
        expect.objectContaining({
          kind: 'route',
          replaces: true,
          route: expect.objectContaining({ destination: '10.1.0.1/32', protocol: 4, interfaceIndex: 1 }),
        }),
        expect.objectContaining({
          kind: 'route-gone',
          route: expect.objectContaining({ destination: '10.1.0.1/32' }),
        }),
      ]),
    );
    expect(changes.some(({ overrun }) => overrun)).toBe(false);
  });

  test('calls back once for what happened in one turn of the event loop', async () => {
    host.watch(change => changes.push(change));
    for (let i = 1; i <= 10; i++)
      host.replaceRoute({ destination: `10.1.0.${String(i)}/32`, interfaceIndex: 1 });
    expect(changes).toEqual([]);
    await eventually('the routes are announced', () => changes.length > 0);
    expect(changes).toHaveLength(1);
    expect(kinds()).toEqual(Array<string>(10).fill('route'));
    expect(changes[0]).toMatchObject({ routes: true, links: false, addresses: false });
  });

  test('that was overrun says so, and goes on', async () => {
    // Room for a few dozen events, so that an overrun is easy to bring about.
    const deaf = await openHostNetwork({ netns: net.path('host'), watchBuffer: 8192 });
    deaf.watch(change => changes.push(change));
    for (let i = 0; i < 500; i++) {
      host.replaceRoute({ destination: `10.1.${String(i >> 8)}.${String(i & 255)}/32`, interfaceIndex: 1 });
    }
    await eventually('the overrun is reported', () => changes.some(({ overrun }) => overrun));
    expect(changes.find(({ overrun }) => overrun)).toMatchObject({
      links: true,
      addresses: true,
      routes: true,
    });
    await eventually('all is read', () => kinds().length > 0);
    for (let round = 0; round < 3; round++) {
      changes = [];
      host.replaceRoute({ destination: `10.2.0.${String(round)}/32`, interfaceIndex: 1 });
      await eventually('a later change is seen', () => changes.some(({ routes }) => routes));
      expect(changes.some(({ overrun }) => overrun)).toBe(false);
    }
    deaf.close();
  });

  test('is silent once it is closed, while another goes on', async () => {
    const first = host.watch(change => changes.push(change));
    let seen = 0;
    const second = host.watch(() => {
      seen++;
      second.close();
    });
    first.close();
    host.replaceRoute({ destination: '10.2.0.1/32', interfaceIndex: 1 });
    await eventually('the other watch sees it', () => seen > 0);
    host.replaceRoute({ destination: '10.2.0.2/32', interfaceIndex: 1 });
    await new Promise(resolve => setImmediate(resolve));
    expect(changes).toEqual([]);
    expect(seen).toBe(1);
  });

  test('ends the process by an uncaught exception when its callback throws, not some later call', async () => {
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const caught: unknown[] = [];
    process.once('uncaughtException', error => caught.push(error));
    host.watch(() => {
      throw new Error('in the callback');
    });
    host.replaceRoute({ destination: '10.2.0.1/32', interfaceIndex: 1 });
    await eventually('it comes out', () => caught.length > 0);
    for (const listener of before) process.on('uncaughtException', listener);
    expect(String(caught[0])).toBe('Error: in the callback');
    expect(host.links().length).toBeGreaterThan(0);
  });
});
