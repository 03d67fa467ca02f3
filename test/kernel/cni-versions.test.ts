import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCniHost, createPools } from './cni/agent.js';
import type { AddResult, CniHost } from './cni/agent.js';
import { errorShape, misfits, successShapes, versionsShape } from './cni/answer-shapes.js';

let host: CniHost;

beforeAll(async () => {
  host = await createCniHost();
  await createPools(host.client, '10.65.0.0/24', 'fd65::/64');
  await host.startServer();
});

afterAll(async () => host.close());

const ipam = { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' };
const four = expect.stringMatching(/^10\.65\.0\.\d+\/32$/);
const six = expect.stringMatching(/^fd65::[0-9a-f:]*\/128$/);
const mac = expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);

async function addAs(cniVersion: string): Promise<{ readonly json: unknown; readonly netns: string }> {
  const pod = `v${cniVersion.replaceAll('.', '')}`;
  const netns = await host.net.add(pod);
  const { stdout } = await host.call({ command: 'ADD', id: pod, netns, config: { cniVersion, ipam } });
  return { json: JSON.parse(stdout), netns };
}

describe('the answer to ADD', () => {
  test('of 0.1.0 and 0.2.0 has one address of each family', async () => {
    expect((await addAs('0.1.0')).json).toEqual({ ip4: { ip: four }, ip6: { ip: six }, dns: {} });
    expect((await addAs('0.2.0')).json).toEqual({
      cniVersion: '0.2.0',
      ip4: { ip: four },
      ip6: { ip: six },
      dns: {},
    });
  });

  test.each(['0.3.0', '0.3.1', '0.4.0'])(
    'of %s lists interfaces, and addresses with their family',
    async version => {
      const { json, netns } = await addAs(version);
      expect(json).toEqual({
        cniVersion: version,
        interfaces: [
          { name: expect.stringMatching(/^cali[0-9a-f]{11}$/), mac: 'ee:ee:ee:ee:ee:ee' },
          { name: 'eth0', mac, sandbox: netns },
        ],
        ips: [
          { version: '4', interface: 1, address: four },
          { version: '6', interface: 1, address: six },
        ],
        dns: {},
      });
    },
  );

  test('of 1.0.0 lists addresses without their family', async () => {
    const { json, netns } = await addAs('1.0.0');
    expect(json).toEqual({
      cniVersion: '1.0.0',
      interfaces: [
        { name: expect.stringMatching(/^cali[0-9a-f]{11}$/), mac: 'ee:ee:ee:ee:ee:ee' },
        { name: 'eth0', mac, sandbox: netns },
      ],
      ips: [
        { interface: 1, address: four },
        { interface: 1, address: six },
      ],
      dns: {},
    });
  });

  test('of 1.1.0 has the MTU too', async () => {
    const { json } = await addAs('1.1.0');
    expect(json).toMatchObject({
      cniVersion: '1.1.0',
      interfaces: [{ mtu: 1500 }, { mtu: 1500, name: 'eth0' }],
    });
  });
});

describe('every answer has the shape that the specification of its version asks for', () => {
  const versions = [...successShapes.keys()];

  test.each([...successShapes])('to ADD, in %s, and the others say nothing', async (cniVersion, shape) => {
    const id = `s${cniVersion.replaceAll('.', '')}`;
    const netns = await host.net.add(id);
    const call = { id, netns, config: { cniVersion, ipam } };
    const added = await host.call({ ...call, command: 'ADD' });
    expect(misfits(shape, JSON.parse(added.stdout))).toEqual([]);
    const ofIpam = await host.call({ ...call, id: `${id}-ipam`, command: 'ADD', program: 'calico-ipam' });
    expect(misfits(shape, JSON.parse(ofIpam.stdout))).toEqual([]);
    expect(JSON.parse(ofIpam.stdout)).not.toHaveProperty('interfaces');
    const prevResult: unknown = JSON.parse(added.stdout);
    const isList = versions.indexOf(cniVersion) >= versions.indexOf('0.3.0');
    if (isList) host.setHostRoutes(prevResult as AddResult);
    const later = versions.indexOf(cniVersion) < versions.indexOf('0.4.0') ? ['DEL'] : ['CHECK', 'DEL'];
    const more = cniVersion === '1.1.0' ? [...later, 'STATUS', 'GC'] : later;
    for (const command of more) {
      const config = { ...call.config, prevResult };
      expect(await host.call({ ...call, command, config })).toMatchObject({ exitCode: 0, stdout: '' });
    }
  });

  test.each(versions)('to what goes wrong, in %s', async cniVersion => {
    for (const call of [
      { id: '' },
      { netns: '/run/netns/none' },
      { config: { cniVersion, name: 'a b' } },
      { config: { cniVersion, ipam: { ...ipam, ipv4_pools: ['1.2.3.0/24'] } } },
      { command: 'FLY' },
      { program: 'calico-ipam' as const, args: 'IP=9.9.9.9' },
    ]) {
      const config = { cniVersion, ipam };
      const { exitCode, stdout } = await host.call({ command: 'ADD', netns: '/x', config, ...call });
      expect(exitCode).toBe(1);
      expect(misfits(errorShape(cniVersion), JSON.parse(stdout))).toEqual([]);
    }
  });

  test('to VERSION, whatever it was asked with', async () => {
    for (const stdin of ['{"cniVersion":"1.0.0"}', '{}', '']) {
      const { stdout } = await host.call({ command: 'VERSION', id: '', ifName: '', stdin });
      expect(misfits(versionsShape, JSON.parse(stdout))).toEqual([]);
      expect(JSON.parse(stdout)).toMatchObject({ supportedVersions: versions });
    }
  });

  test('and the comparison finds what is missing, wrong or too much', () => {
    const [oldest, , , , , newest, last] = [...successShapes.values()];
    if (oldest === undefined || newest === undefined || last === undefined) throw new Error('no shape');
    expect(misfits(oldest, { ip4: { ip: '1.2.3.4' } })).toHaveLength(1);
    expect(misfits(newest, { cniVersion: '1.0.0' })).toEqual(['answer.ips: missing']);
    const interfaces = [{ name: 'eth0', mtu: 1500 }];
    const answer = { cniVersion: '1.0.0', ips: [{ address: '1.2.3.4/32', version: '4' }], interfaces };
    expect(misfits(newest, answer)).toEqual([
      'answer.ips[0].version: not in the specification',
      'answer.interfaces[0].mtu: not in the specification',
    ]);
    expect(misfits(last, { cniVersion: '1.1.0', ips: [], interfaces })).toEqual([]);
  });
});

describe('a request that is wrong', () => {
  test.each([
    ['another version', { config: { cniVersion: '2.0.0' } }, 1, 'unsupported CNI version 2.0.0'],
    ['no container id', { id: '' }, 4, 'CNI_CONTAINERID is missing'],
    ['a container id that is a path', { id: '../etc' }, 4, 'CNI_CONTAINERID "../etc" is not a container id'],
    ['an interface name that is too long', { ifName: 'a234567890123456' }, 4, 'CNI_IFNAME'],
    ['no namespace', { netns: '' }, 4, 'CNI_NETNS is missing'],
    ['arguments without =', { args: 'a=b;c' }, 4, 'ARGS: invalid pair "c"'],
    ['input that is no JSON', { stdin: '{' }, 6, 'network configuration'],
    ['a network name with a blank', { config: { name: 'a b' } }, 7, 'Invalid characters detected'],
    [
      'an IPAM plugin that is not there',
      { config: { ipam: { type: 'none' } } },
      7,
      'failed to find plugin "none"',
    ],
    ['CHECK before 0.4.0', { command: 'CHECK', config: { cniVersion: '0.3.1' } }, 1, 'does not allow CHECK'],
    ['STATUS before 1.1.0', { command: 'STATUS' }, 1, 'does not allow STATUS'],
    ['GC before 1.1.0', { command: 'GC' }, 1, 'does not allow GC'],
    ['CHECK without prevResult', { command: 'CHECK' }, 7, 'prevResult is nothing'],
    ['an unknown command', { command: 'FLY' }, 4, 'unknown CNI_COMMAND: FLY'],
  ])('with %s is refused', async (_, call, code, message) => {
    const result = await host.call({ command: 'ADD', netns: '/run/netns/x', ...call });
    expect(result.exitCode).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ code, msg: expect.stringContaining(message) });
  });

  test('is answered in its own version', async () => {
    const { stdout } = await host.call({ command: 'ADD', id: '', config: { cniVersion: '0.3.1' } });
    expect(JSON.parse(stdout)).toMatchObject({ cniVersion: '0.3.1', code: 4 });
  });
});
