import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WORKLOAD_HOST_MAC } from '../../src/net/index.js';
import { openHostNetwork } from '../../src/netlink/index.js';
import type { HostNetwork } from '../../src/netlink/index.js';
import { createTestNet } from '../support/netns.js';

const net = createTestNet();
let host: HostNetwork;

beforeAll(async () => {
  const path = await net.add('host');
  await net.add('pod');
  host = await openHostNetwork({ netns: path });
});

afterAll(async () => {
  await net.remove();
  host.close();
});

/** Children that end one after the other, each a SIGCHLD, until stopped; never more at a time than `width`. */
function keepChildrenEnding(width: number): { count(): number; stop(): Promise<void> } {
  const stopping = new AbortController();
  let ended = 0;
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await once(spawn('/bin/true', { stdio: 'ignore' }), 'exit');
      ended++;
      // libuv reaps for ever while children end faster than it starts them.
      await new Promise(resolve => setTimeout(resolve, ended % 3));
    }
  };
  const loops = Array.from({ length: width }, loop);
  return {
    count: () => ended,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

describe('while children of the process end all the time', () => {
  test('no request is lost: links come, are set up with addresses and routes, and go', async () => {
    const children = keepChildrenEnding(4);
    try {
      for (let i = 0; i < 150 || children.count() < 100; i++) {
        const name = `cali${String(i)}`;
        const { host: end } = host.createVeth({
          hostName: name,
          hostMac: WORKLOAD_HOST_MAC,
          containerName: `e${String(i)}`,
          containerNetns: net.path('pod'),
        });
        host.setLinkUp(end.index);
        host.addAddress(end.index, '10.7.0.1/24');
        host.replaceRoute({ destination: '10.8.0.1/32', interfaceIndex: end.index, scope: 'link' });
        expect(host.links().map(link => link.name)).toContain(name);
        host.replaceNeighbour(end.index, '10.7.0.2', '02:00:00:00:00:02');
        host.deleteRoute({ destination: '10.8.0.1/32', interfaceIndex: end.index, scope: 'link' });
        await host.deleteLink(end.index);
      }
    } finally {
      await children.stop();
    }
    expect(host.links().filter(link => link.kind === 'veth')).toEqual([]);
  });
});
