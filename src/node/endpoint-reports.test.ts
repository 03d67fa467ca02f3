import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../base/index.js';
import { openStore } from '../datastore/index.js';
import type { Store } from '../datastore/index.js';
import type { EndpointId } from '../policy/index.js';
import { EndpointReports } from './endpoint-reports.js';
import type { ReportedState } from './endpoint-reports.js';

const id = (workload: string): EndpointId => `workload:here/k8s/${workload}/eth0` as EndpointId;
const key = (workload: string, node = 'here'): string =>
  `/calico/felix/v1/host/${node}/workload/k8s/${workload}/endpoint/eth0`;

let directory: string;
let store: Store;
let states: Map<EndpointId, ReportedState>;
let reports: EndpointReports;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-reports-'));
  store = await openStore({ type: 'sqlite', directory, synchronous: 'normal' });
  states = new Map();
  reports = new EndpointReports({ node: 'here', store, states: () => states, log: silentLogger });
});

afterEach(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

async function reported(): Promise<Readonly<Record<string, string>>> {
  const { entries } = await store.list('/calico/felix/');
  return Object.fromEntries(entries.map(entry => [entry.key, entry.value]));
}

describe('the status of endpoints in the datastore', () => {
  test('is put right at first, whatever an earlier run left, and nobody else’s is touched', async () => {
    states.set(id('a'), { state: 'up' }).set(id('%b'), { state: 'error', reason: 'no route' });
    const left = {
      [key('a')]: '{',
      [key('gone')]: '{"status":"up"}',
      [key('a', 'there')]: '{"status":"down"}',
    };
    for (const [each, value] of Object.entries(left))
      await store.commit({ writes: [{ kind: 'put', key: each, value }] });
    await reports.round();
    expect(await reported()).toEqual({
      [key('a')]: '{"status":"up"}',
      [key('%25b')]: '{"status":"error","reason":"no route"}',
      [key('a', 'there')]: '{"status":"down"}',
    });
  });

  test('follows what changed, many in one commit, and goes with its endpoint', async () => {
    await reports.round();
    for (let n = 0; n < 150; n++) {
      states.set(id(`w${String(n)}`), { state: 'up' });
      reports.note(id(`w${String(n)}`));
    }
    const { revision } = await store.list('/');
    await reports.round();
    await reports.round();
    await reports.round();
    const after = await store.list('/calico/felix/');
    expect(after.entries).toHaveLength(150);
    expect(after.revision - revision).toBe(2);
    states.clear();
    reports.note(id('w0'));
    await reports.round();
    expect(Object.keys(await reported())).toHaveLength(149);
  });

  test('has a place for host endpoints too, and goes as a whole when it shall', async () => {
    const uplink = 'host:here/uplink' as EndpointId;
    states.set(id('a'), { state: 'up' }).set(uplink, { state: 'up' });
    await reports.round();
    const hostKey = '/calico/felix/v1/host/here/endpoint/uplink';
    expect(await reported()).toEqual({ [key('a')]: '{"status":"up"}', [hostKey]: '{"status":"up"}' });
    states.delete(uplink);
    reports.note(uplink);
    await reports.round();
    expect(await reported()).toEqual({ [key('a')]: '{"status":"up"}' });
    await reports.removeAll();
    expect(await reported()).toEqual({});
    await reports.round();
    expect(await reported()).toEqual({ [key('a')]: '{"status":"up"}' });
  });

  test('is tried again when it could not be written', async () => {
    await reports.round();
    states.set(id('a'), { state: 'down', reason: 'switched off' });
    reports.note(id('a'));
    await store.close();
    await expect(reports.round()).rejects.toThrow(/closed|not open/);
    store = await openStore({ type: 'sqlite', directory, synchronous: 'normal' });
    const again = new EndpointReports({ node: 'here', store, states: () => states, log: silentLogger });
    await again.round();
    expect(await reported()).toEqual({ [key('a')]: '{"status":"down","reason":"switched off"}' });
  });
});
