import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { watchBlocks } from '../../src/ipam/index.js';
import type { BlockEvent } from '../../src/ipam/index.js';
import { openIpamWorld } from './ipam/world.js';
import type { IpamWorld } from './ipam/world.js';

let world: IpamWorld;
let stop: AbortController;

beforeEach(async () => {
  world = await openIpamWorld(2);
  await world.setPool('10.0.0.0/26');
  stop = new AbortController();
});

afterEach(async () => {
  stop.abort();
  await world.close();
});

async function next(events: AsyncIterator<BlockEvent>): Promise<BlockEvent | undefined> {
  const result = await events.next();
  return result.done === true ? undefined : result.value;
}

function watch(): AsyncIterator<BlockEvent> {
  return watchBlocks(world.store, { signal: stop.signal })[Symbol.asyncIterator]();
}

async function assign(host: number, handle: string): Promise<string> {
  const node = `n${String(host)}`;
  const request = { node, handle, count: { 4: 1, 6: 0 }, attributes: { node } };
  return (await world.allocators[host]?.assign(request))?.addresses[0] ?? '';
}

describe('watching blocks', () => {
  const own = { cidr: '10.0.0.0/26', version: 4, node: 'n0', confirmed: true, borrowed: [] };

  test('says first what there is, even when that is nothing', async () => {
    expect(await next(watch())).toEqual({ inSync: true, changes: [] });
    await assign(0, 'a');
    expect(await next(watch())).toEqual({ inSync: true, changes: [{ kind: 'updated', block: own }] });
  });

  test('tells of a claimed block once, of a borrowed address with the node it lives on, and of its end', async () => {
    const events = watch();
    await next(events);
    await assign(0, 'a');
    expect(await next(events)).toEqual({ inSync: false, changes: [{ kind: 'updated', block: own }] });
    await assign(0, 'b');
    const address = await assign(1, 'c');
    const borrowed = { ...own, borrowed: [{ address, node: 'n1' }] };
    expect(await next(events)).toEqual({ inSync: false, changes: [{ kind: 'updated', block: borrowed }] });
    await world.allocators[1]?.releaseByHandle('c');
    expect(await next(events)).toEqual({ inSync: false, changes: [{ kind: 'updated', block: own }] });
    for (const handle of ['a', 'b']) await world.allocators[0]?.releaseByHandle(handle);
    await world.allocators[0]?.releaseAffinities('n0');
    expect(await next(events)).toEqual({ inSync: false, changes: [{ kind: 'removed', cidr: own.cidr }] });
  });

  test('says of a block whose claim is pending that it is not confirmed', async () => {
    await assign(0, 'a');
    const key = '/calico/ipam/v2/host/n0/ipv4/block/10.0.0.0-26';
    await world.store.commit({ writes: [{ kind: 'put', key, value: '{"state":"pending"}' }] });
    const events = watch();
    const unconfirmed = { ...own, confirmed: false };
    expect(await next(events)).toEqual({ inSync: true, changes: [{ kind: 'updated', block: unconfirmed }] });
    await world.store.commit({ writes: [{ kind: 'put', key, value: '{}' }] });
    expect(await next(events)).toEqual({ inSync: false, changes: [{ kind: 'updated', block: own }] });
  });

  test('ends when its signal is aborted', async () => {
    const events = watch();
    await next(events);
    const pending = next(events);
    stop.abort();
    expect(await pending).toBeUndefined();
  });
});
