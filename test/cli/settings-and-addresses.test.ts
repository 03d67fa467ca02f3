import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/index.js';
import { openStore } from '../../src/datastore/index.js';
import type { Store } from '../../src/datastore/index.js';
import { createAllocator } from '../../src/ipam/index.js';
import type { Ran } from './program.js';
import { calicoctlSession } from './session.js';

const session = calicoctlSession();
const { run, outOf } = session;

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ type: 'sqlite', directory: join(session.stateDir, 'store') });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** What is stored, without the history of it. */
async function keys(prefix = '/calico/'): Promise<Readonly<Record<string, string>>> {
  const { entries } = await inStore(async store => await store.list(prefix));
  const present = entries.filter(({ key }) => !key.startsWith('/calico/audit/'));
  return Object.fromEntries(present.map(({ key, value }) => [key, value]));
}

describe('config', () => {
  const silent = { code: 0, out: '', err: '' };
  const failed = (message: string): Ran => ({
    code: 1,
    out: `Error executing command: ${message}\n`,
    err: '',
  });

  test('shows what holds where nothing is set', async () => {
    expect(await outOf('config get logLevel')).toBe('info\n');
    expect(await outOf('config get loglevel --node=n1')).toBe('info (inherited from global)\n');
    expect(await outOf('config get nodeToNodeMesh')).toBe('on\n');
    expect(await outOf('config get asNumber')).toBe('64512\n');
    expect(await outOf('config get IPIP')).toBe('off\n');
    expect(await outOf('config get LogSeverityScreen --raw=felix')).toBe('(unset)\n');
  });

  test('keeps each setting under the keys of the original', async () => {
    for (const line of [
      'logLevel warning',
      'logLevel debug --node=n1',
      'nodetonodemesh off',
      'asNumber 1.10',
    ]) {
      expect(await run(`config set ${line}`)).toEqual(silent);
    }
    expect(await run('config set ipip on')).toEqual(silent);
    expect(await run('config set Any/Thing x --raw=bgp --node=n2')).toEqual(silent);
    expect(await keys()).toEqual({
      '/calico/bgp/v1/global/as_num': '65546',
      '/calico/bgp/v1/global/loglevel': 'none',
      '/calico/bgp/v1/global/node_mesh': '{"enabled":false}',
      '/calico/bgp/v1/host/n1/loglevel': 'debug',
      '/calico/bgp/v1/host/n2/Any/Thing': 'x',
      '/calico/v1/config/IpInIpEnabled': 'true',
      '/calico/v1/config/LogSeverityScreen': 'warning',
      '/calico/v1/config/loglevel': 'none',
      '/calico/v1/host/n1/config/LogSeverityScreen': 'debug',
    });
    expect(await outOf('config get logLevel --node=n1')).toBe('debug\n');
    expect(await outOf('config get logLevel --node=n2')).toBe('warning (inherited from global)\n');
    expect(await outOf('config get nodeToNodeMesh')).toBe('off\n');
    expect(await outOf('config get asNumber')).toBe('65546\n');
    expect(await outOf('config get ipip')).toBe('on\n');
    expect(await outOf('config get Any/Thing --raw=bgp -n n2')).toBe('x\n');
  });

  test('sets a global option that is unset to its default, and removes what a node has of its own', async () => {
    for (const line of ['nodeToNodeMesh', 'asNumber', 'ipip', 'logLevel']) await run(`config unset ${line}`);
    await run('config set logLevel debug --node=n1');
    expect(await run('config unset logLevel --node=n1')).toEqual(silent);
    expect(await run('config unset logLevel --node=n1')).toEqual(silent);
    expect(await run('config unset Nothing --raw=felix')).toEqual(silent);
    expect(await keys()).toEqual({
      '/calico/bgp/v1/global/as_num': '64512',
      '/calico/bgp/v1/global/loglevel': 'info',
      '/calico/bgp/v1/global/node_mesh': '{"enabled":true}',
      '/calico/v1/config/IpInIpEnabled': 'false',
      '/calico/v1/config/LogSeverityScreen': 'info',
      '/calico/v1/config/loglevel': 'info',
    });
  });

  test.each([
    ['get nodeToNodeMesh --node=n1', '--node should not be specified'],
    ['set ipip On', "invalid value 'On'"],
    ['set asNumber 4294967296', 'the supplied AS number is not valid'],
    ['set logLevel loud', "error with field loglevel = 'loud'"],
    ['get colour', "unrecognised config name 'colour'"],
    ['get logLevle', "unrecognised config name 'logLevle' (did you mean 'logLevel'?)"],
    ['get x --raw=confd', "unrecognised component 'confd'"],
  ])('refuses "%s" and changes nothing', async (line, message) => {
    expect(await run(`config ${line}`)).toEqual(failed(message));
    expect(await keys()).toEqual({});
  });

  test('says bare that the datastore cannot be opened', async () => {
    const { code, out } = await run('config get colour', '', { DATASTORE_TYPE: 'cassandra' });
    expect([code, out]).toEqual([1, 'Unknown datastore type: cassandra\n']);
  });
});

const pool = 'apiVersion: v1\nkind: ipPool\nmetadata: {cidr: 10.65.0.0/24}\n';
const node = (name: string): string => `apiVersion: v1\nkind: node\nmetadata: {name: ${name}}\n`;
const endpoint = (host: string, address: string): string =>
  `apiVersion: v1
kind: workloadEndpoint
metadata: {node: ${host}, orchestrator: cni, workload: w, name: eth0}
spec: {interfaceName: cali1, ipNetworks: [${address}/32]}
`;

async function assign(host: string, handle: string): Promise<string> {
  return await inStore(async store => {
    const allocator = createAllocator({ store, clock: systemClock });
    const attributes = { node: host, kind: 'test' };
    const { addresses } = await allocator.assign({ node: host, handle, attributes, count: { 4: 1, 6: 0 } });
    return addresses[0] ?? '';
  });
}

describe('ipam', () => {
  test('shows and releases an address', async () => {
    await run('create -f -', pool);
    const address = await assign('n1', 'h');
    expect(await run(`ipam show --ip=${address}`)).toEqual({
      code: 0,
      out: 'map[kind:test node:n1]\n',
      err: '',
    });
    expect(await run(`ipam release --ip=${address}`)).toEqual({
      code: 0,
      out: `Successfully released IP address ${address}\n`,
      err: '',
    });
    expect(await run(`ipam release --ip=${address}`)).toEqual({
      code: 1,
      out: `IP address ${address} is not assigned\n`,
      err: '',
    });
    expect(await run(`ipam show --ip=${address}`)).toMatchObject({
      code: 0,
      out: `IP ${address} is not currently assigned\n`,
    });
    expect(Object.keys(await keys('/calico/ipam/v2/handle/'))).toEqual([]);
  });

  test('says that an address has no attributes', async () => {
    await run('create -f -', pool);
    await inStore(async store => {
      const request = { node: 'n1', handle: 'h', address: '10.65.0.9' };
      await createAllocator({ store, clock: systemClock }).assignAddress(request);
    });
    expect(await outOf('ipam show --ip=10.65.0.9')).toBe('No attributes defined for 10.65.0.9\n');
    expect(await outOf('ipam show --ip 10.65.0.9 -o json')).toContain('"blockOwner": "n1"');
  });

  test.each(['show', 'release'])('%s refuses what is no address', async verb => {
    const out = 'Error executing command: invalid IP address specified: 10.0.0\n';
    expect(await run(`ipam ${verb} --ip=10.0.0`)).toEqual({ code: 1, out, err: '' });
  });

  test('without an address shows how much of each pool is in use, and of each block where asked', async () => {
    await run('create -f -', pool);
    await assign('n1', 'a');
    await assign('n1', 'b');
    expect((await outOf('ipam show')).split('\n')).toEqual([
      '+----------+--------------+-----------+------------+-----------+',
      '| GROUPING |     CIDR     | IPS TOTAL | IPS IN USE | IPS FREE  |',
      '+----------+--------------+-----------+------------+-----------+',
      '| IP Pool  | 10.65.0.0/24 |       256 | 2 (0%)     | 254 (99%) |',
      '+----------+--------------+-----------+------------+-----------+',
      '',
    ]);
    expect(await outOf('ipam show --show-blocks')).toMatch(
      /\n\| Block {4}\| 10\.65\.0\.\d+\/26 +\| +64 \| 2 \(3%\) +\| 62 \(96%\) +\| n1 +\|\n/,
    );
    expect(JSON.parse(await outOf('ipam show -o json'))).toMatchObject({ pools: [{ used: 2, total: 256 }] });
  });

  test('check finds a leaked address, and gives it back when it is told to', async () => {
    await run('create -f -', `${pool}---\n${node('n1')}`);
    await assign('gone', 'h');
    const { code, out } = await run('ipam check');
    expect(code).toBe(1);
    expect(out).toContain('is held by h on gone, but no endpoint has it');
    expect((await run('ipam check --repair')).out).toMatch(/mended.*\n2 problems mended, 0 left\.\n$/s);
    expect(await run('ipam check')).toMatchObject({
      code: 0,
      out: 'Checked 1 pool, 0 blocks, 0 addresses, 0 handles, 0 endpoints, 1 node.\nNothing is wrong.\n',
    });
  });
});

describe('ipam configure', () => {
  test('sets strict affinity, the limit and reservations, and show tells them', async () => {
    expect(await outOf('ipam configure --strictaffinity=true --max-blocks-per-host=4')).toBe(
      'Successfully set StrictAffinity to: true\nSuccessfully set MaxBlocksPerHost to: 4\n',
    );
    expect(await outOf('ipam configure --reserve=printers=10.65.0.0/28,10.65.1.0/28')).toBe(
      'Successfully reserved 10.65.0.0/28, 10.65.1.0/28 as printers\n',
    );
    expect((await outOf('ipam show --show-configuration')).split('\n')).toEqual([
      '+--------------------+----------------------------+',
      '|      PROPERTY      |           VALUE            |',
      '+--------------------+----------------------------+',
      '| StrictAffinity     | true                       |',
      '| AutoAllocateBlocks | true                       |',
      '| MaxBlocksPerHost   |                          4 |',
      '| Reserved: printers | 10.65.0.0/28, 10.65.1.0/28 |',
      '+--------------------+----------------------------+',
      '',
    ]);
    expect(await outOf('ipam configure --unreserve=printers --max-blocks-per-host=0')).toContain('printers');
    expect(JSON.parse(await outOf('ipam show --show-configuration -o json'))).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 0,
      reservations: [],
    });
  });

  test.each([
    ['--strictaffinity=yes', "invalid --strictaffinity 'yes': expected true or false"],
    ['--max-blocks-per-host=-1', "invalid --max-blocks-per-host '-1'"],
    ['--max-blocks-per-host=3', 'a limit of blocks per host needs strict affinity'],
    ['--reserve=printers', "invalid --reserve 'printers': expected NAME=CIDR[,CIDR...]"],
    ['--reserve=printers=10.0.0.0/33', '10.0.0.0/33 is no network'],
    ['--unreserve=none', 'no reservation is named none'],
  ])('refuses %s, and changes nothing', async (option, message) => {
    const { code, out } = await run(`ipam configure ${option}`);
    expect({ code, out }).toEqual({ code: 1, out: expect.stringContaining(message) });
    expect(await keys('/calico/ipam/')).toEqual({});
  });
});

describe('delete', () => {
  test('of a pool gives back its blocks, and keeps the addresses that are in use', async () => {
    await run('create -f -', pool);
    await assign('n1', 'used');
    const empty = await assign('n2', 'empty');
    await run(`ipam release --ip=${empty}`);
    expect(await outOf('delete pool 10.65.0.0/24')).toBe("Successfully deleted 1 'ipPool' resource(s)\n");
    expect(Object.keys(await keys('/calico/ipam/v2/host/'))).toEqual([]);
    const blocks = Object.values(await keys('/calico/ipam/v2/assignment/'));
    expect(blocks.map(block => [JSON.parse(block).affinity, block.includes('used')])).toEqual([[null, true]]);
  });

  test('of a node gives back the addresses of its endpoints and its blocks, and those of no other', async () => {
    await run('create -f -', `${pool}---\n${node('n1')}---\n${node('n2')}`);
    const [mine, other] = [await assign('n1', 'mine'), await assign('n2', 'other')];
    await run('create -f -', `${endpoint('n1', mine)}---\n${endpoint('n2', other)}`);
    expect((await run('delete node n1')).code).toBe(0);
    expect(await outOf(`ipam show --ip=${mine}`)).toBe(`IP ${mine} is not currently assigned\n`);
    expect(await outOf(`ipam show --ip=${other}`)).toContain('node:n2');
    expect(await run('ipam check')).toMatchObject({ code: 0 });
  });

  test('that is refused leaves addresses and blocks as they are', async () => {
    await run('create -f -', `${pool}---\n${node('n1')}`);
    const mine = await assign('n1', 'mine');
    await run('create -f -', endpoint('n1', mine));
    const before = await keys();
    const missing = 'apiVersion: v1\nkind: policy\nmetadata: {name: missing}\n';
    expect((await run('delete -f -', `${node('n1')}---\n${pool}---\n${missing}`)).code).toBe(1);
    expect(await keys()).toEqual(before);
  });
});
