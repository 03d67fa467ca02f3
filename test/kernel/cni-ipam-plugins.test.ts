import { chmod, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCniHost } from './cni/agent.js';
import type { CniCall, CniHost } from './cni/agent.js';

let host: CniHost;

beforeEach(async () => {
  host = await createCniHost();
  await host.startServer();
});

afterEach(async () => host.close());

interface Answer {
  readonly ips: readonly { readonly address: string; readonly gateway?: string }[];
  readonly dns: object;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

async function call(command: string, more: Partial<CniCall> = {}): Promise<Answer | undefined> {
  const { stdout } = await host.call({ command, netns: host.net.path('pod'), ...more });
  return stdout === '' ? undefined : (JSON.parse(stdout) as Answer);
}

/** A plugin of the site's own, in the first folder of CNI_PATH. */
async function installPlugin(name: string, script: string): Promise<void> {
  const path = join(host.directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
}

const addresses = (answer: Answer | undefined): readonly string[] | undefined =>
  answer?.ips.map(({ address }) => address);

describe('host-local', () => {
  let data: string;
  let config: object;

  beforeEach(async () => {
    await host.net.add('pod');
    data = join(host.directory, 'leases');
    await mkdir(data);
    config = {
      ipam: {
        type: 'host-local',
        dataDir: data,
        ranges: [
          [{ subnet: '10.77.0.0/24', rangeStart: '10.77.0.10', rangeEnd: '10.77.0.10' }],
          [{ subnet: 'fd77::/64' }],
        ],
        routes: [{ dst: '10.0.0.0/8' }],
      },
    };
  });

  const leases = async (): Promise<readonly string[]> =>
    (await readdir(join(data, 'net1'))).filter(name => /^(10\.|fd)/.test(name));

  test.each(['0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0'])(
    'gives addresses that become single ones, to a network of version %s',
    async cniVersion => {
      const answer = await call('ADD', { config: { ...config, cniVersion } });
      expect(answer).toMatchObject(
        cniVersion === '0.2.0'
          ? { ip4: { ip: '10.77.0.10/32' }, ip6: { ip: 'fd77::2/128' } }
          : { ips: [{ address: '10.77.0.10/32' }, { address: 'fd77::2/128' }] },
      );
      const [endpoint] = await host.client.list('workloadEndpoint');
      expect(endpoint?.spec.ipNetworks).toEqual(['10.77.0.10/32', 'fd77::2/128']);
      expect((await host.net.ipJson('pod', 'route')).map(({ dst }) => dst)).toEqual([
        '10.0.0.0/8',
        '169.254.1.1',
      ]);
      expect(await call('DEL', { config: { ...config, cniVersion } })).toBeUndefined();
      expect(await leases()).toEqual([]);
      expect(await host.traces()).toEqual([]);
    },
  );

  test('is asked again after an ADD that a crash cut off', async () => {
    const first = await call('ADD', { config });
    const second = await call('ADD', { config });
    expect(addresses(second)).toContain('10.77.0.10/32');
    expect(addresses(first)).toContain('10.77.0.10/32');
    expect(await leases()).toHaveLength(2);
  });

  test('has its failure passed on, and nothing is left behind', async () => {
    await call('ADD', { config });
    await host.net.add('other');
    const before = await host.traces();
    const answer = await call('ADD', { id: 'c2', netns: host.net.path('other'), config });
    expect(answer?.code).toBeGreaterThan(0);
    expect(answer?.msg).toContain('no IP addresses available in range set');
    expect(await host.traces()).toEqual(before);
    expect(await host.links()).toHaveLength(1);
    expect(await leases()).toHaveLength(2);
  });

  test('gets its addresses back when a later step fails', async () => {
    host.onWait(async () => {
      throw new Error('nft says no');
    });
    expect(await call('ADD', { config })).toMatchObject({ code: 11, msg: 'nft says no' });
    expect(await leases()).toEqual([]);
    expect(await host.traces()).toEqual([]);
  });

  test('is asked by CHECK, and by GC through the DEL of what is stale', async () => {
    const version = { cniVersion: '1.0.0' };
    const prevResult = await call('ADD', { config: { ...config, ...version } });
    const name = (await host.links())[0] ?? '';
    const interfaceIndex = host.network.linkByName(name)?.index ?? 0;
    for (const destination of ['10.77.0.10/32', 'fd77::2/128']) {
      host.network.replaceRoute({ destination, interfaceIndex, scope: 'link' });
    }
    expect(await call('CHECK', { config: { ...config, ...version, prevResult } })).toBeUndefined();
    expect(await call('GC', { id: '', config: { ...config, cniVersion: '1.1.0' } })).toBeUndefined();
    expect(await leases()).toEqual([]);
    expect(await host.traces()).toEqual([]);
  });

  test('of an old sandbox leaves the new sandbox of the pod alone', async () => {
    config = { ipam: { type: 'host-local', dataDir: data, subnet: '10.78.0.0/24' } };
    const args = 'K8S_POD_NAMESPACE=ns;K8S_POD_NAME=pod';
    await host.net.add('young');
    await call('ADD', { id: 'old', config, args });
    const young = await call('ADD', { id: 'young', netns: host.net.path('young'), config, args });
    expect(await call('DEL', { id: 'old', config, args })).toBeUndefined();
    const [endpoint] = await host.client.list('workloadEndpoint');
    expect(endpoint?.spec.ipNetworks).toEqual(addresses(young));
    expect(await host.links()).toHaveLength(1);
    expect(await leases()).toHaveLength(1);
  });
});

describe('static and dhcp', () => {
  beforeEach(async () => {
    await host.net.add('pod');
  });

  test('static gives what the configuration says, with its name servers', async () => {
    const ipam = {
      type: 'static',
      addresses: [{ address: '10.79.0.5/24', gateway: '10.79.0.1' }],
      dns: { nameservers: ['9.9.9.9'] },
    };
    const answer = await call('ADD', { config: { ipam } });
    expect(answer?.ips).toEqual([{ address: '10.79.0.5/32', interface: 1 }]);
    expect(answer?.dns).toEqual({ nameservers: ['9.9.9.9'] });
    expect(await call('DEL', { config: { ipam } })).toBeUndefined();
    expect(await host.traces()).toEqual([]);
  });

  test('dhcp without its daemon fails with its words, and nothing is left behind', async () => {
    const ipam = { type: 'dhcp', daemonSocketPath: join(host.directory, 'no-such.sock') };
    const answer = await call('ADD', { config: { ipam } });
    expect(answer).toMatchObject({ code: 999, msg: expect.stringContaining('no-such.sock') });
    expect(await host.links()).toEqual([]);
    // The DEL that would give the address back fails too: what remains is the note that it must be done.
    expect((await host.traces()).map(trace => trace.split(' ')[0])).toEqual(['deleting']);
  });
});

describe('an IPAM plugin whose DEL fails', () => {
  test('costs the container its link all the same, stops no other, and is asked again', async () => {
    const config = { cniVersion: '1.1.0', ipam: { type: 'site' } };
    const failing = join(host.directory, 'failing');
    const answer = `{ echo '{"ips":[{"address":"10.80.0.'$CNI_CONTAINERID'/16"}]}'; exit; }`;
    await installPlugin(
      'site',
      `[ $CNI_COMMAND = ADD ] && ${answer}; [ -e ${failing} ] && [ $CNI_CONTAINERID = 2 ] && exit 9; echo '{}'`,
    );
    for (const id of ['1', '2', '3']) await call('ADD', { id, netns: await host.net.add(id), config });
    await writeFile(failing, '');
    const failed = await call('DEL', { id: '2', config });
    expect(failed).toMatchObject({ code: 100, msg: expect.stringContaining('IPAM plugin site') });
    expect(await host.links()).toHaveLength(2);
    const collected = await call('GC', { id: '', config });
    expect(collected).toMatchObject({ code: 100, msg: expect.stringMatching(/^GC: 2\/eth0: .*site/) });
    expect(await host.links()).toEqual([]);
    expect((await host.traces()).map(trace => trace.split(' ')[0])).toEqual(['deleting']);
    await rm(failing);
    expect(await call('GC', { id: '', config })).toBeUndefined();
    expect(await host.traces()).toEqual([]);
  });
});

describe('an IPAM plugin of any kind', () => {
  beforeEach(async () => {
    await host.net.add('pod');
  });

  const config = { ipam: { type: 'site' } };

  test('may answer in the form of an old version', async () => {
    await installPlugin('site', `[ $CNI_COMMAND = ADD ] && echo '{"ip4":{"ip":"10.80.0.9/16"}}'; exit 0`);
    expect(addresses(await call('ADD', { config }))).toEqual(['10.80.0.9/32']);
  });

  test('gets the environment and the input of the runtime', async () => {
    const seen = join(host.directory, 'seen');
    await installPlugin(
      'site',
      `env > ${seen}.env; cat > ${seen}.json; echo '{"ips":[{"address":"1.2.3.4/8"}]}'`,
    );
    await call('ADD', { config, args: 'K8S_POD_NAME=p' });
    const env = await readFile(`${seen}.env`, 'utf8');
    for (const line of ['CNI_COMMAND=ADD', 'CNI_CONTAINERID=c1', 'CNI_IFNAME=eth0'])
      expect(env).toContain(line);
    expect(env).toContain('CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=p');
    expect(env).toContain(`CNI_NETNS=${host.net.path('pod')}`);
    expect(JSON.parse(await readFile(`${seen}.json`, 'utf8'))).toMatchObject({
      name: 'net1',
      ipam: config.ipam,
    });
  });

  test.each([
    [
      'an error object',
      `echo '{"code":42,"msg":"no","details":"d"}'; exit 1`,
      { code: 42, msg: 'no', details: 'd' },
    ],
    ['words', 'echo panic >&2; exit 2', { code: 100, msg: 'IPAM plugin site: panic' }],
    ['nothing', 'exit 3', { code: 100, msg: 'IPAM plugin site: it failed without a word' }],
    ['no JSON', 'echo hello', { code: 100, msg: 'IPAM plugin site: answered no JSON object: hello' }],
    ['no address', 'echo {}', { code: 100, msg: 'IPAM plugin site did not return any IP addresses' }],
    [
      'a wrong address',
      `echo '{"ips":[{"address":"x"}]}'`,
      { code: 100, msg: expect.stringContaining('"x"') },
    ],
  ])('that answers %s makes ADD fail with that', async (_, script, error) => {
    await installPlugin('site', `[ $CNI_COMMAND = DEL ] && exit 0; ${script}`);
    expect(await call('ADD', { config })).toMatchObject(error);
    expect(await host.traces()).toEqual([]);
    expect(await host.links()).toEqual([]);
  });

  test('gets GC and STATUS when it knows them', async () => {
    const seen = join(host.directory, 'seen');
    const versions = '{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0"]}';
    await installPlugin(
      'site',
      `[ $CNI_COMMAND = VERSION ] && { echo '${versions}'; exit; }; echo '{"code":50,"msg":"'$CNI_COMMAND'"}'; exit 1`,
    );
    const newest = { config: { ...config, cniVersion: '1.1.0' } };
    expect(await call('STATUS', newest)).toMatchObject({ code: 50, msg: 'STATUS' });
    expect(await call('GC', newest)).toMatchObject({ code: 100, msg: 'GC: IPAM plugin site: GC' });
    await installPlugin('site', `echo $CNI_COMMAND >> ${seen}; echo '{"supportedVersions":["1.0.0"]}'`);
    expect(await call('STATUS', newest)).toBeUndefined();
  });
});
