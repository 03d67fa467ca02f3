import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { closeServer, runProgram, serveOnSocket } from '../../src/base/index.js';
import { builtCalicoctl } from './program.js';
import type { Calicoctl, Ran } from './program.js';

let calicoctl: Calicoctl;
let directories = 0;
let runDir: string;

beforeAll(async () => {
  calicoctl = await builtCalicoctl();
});
beforeEach(() => {
  runDir = join(calicoctl.directory, `run-${String(directories++)}`);
  mkdirSync(runDir, { mode: 0o700 });
});
afterAll(() => calicoctl.remove());

async function run(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return await calicoctl.run(line.split(' '), { env: { CALICO_RUN_DIR: runDir, ...env } });
}

/** Serves answers on the control socket as the agent does, while `work` is done. */
async function withAgent<T>(status: unknown, work: () => Promise<T>): Promise<T> {
  const server = await serveOnSocket(
    join(runDir, 'control.sock'),
    async (_, path) =>
      await Promise.resolve({
        status: path === '/ready' ? 503 : 200,
        type: 'application/json',
        body: path === '/ready' ? 'waiting for the datastore\n' : JSON.stringify(status),
      }),
  );
  try {
    return await work();
  } finally {
    await closeServer(server);
  }
}

describe('node status', () => {
  const peers = [
    {
      version: 4,
      address: '172.17.8.102',
      type: 'node-to-node mesh',
      state: 'up',
      since: '23:30:04',
      info: 'Established',
    },
  ];

  test('says that no agent runs, and fails', async () => {
    expect(await run('node status')).toEqual({ code: 1, out: 'Calico process is not running.\n', err: '' });
    expect(JSON.parse((await run('node status -o json')).out)).toEqual({ running: false });
  });

  test('shows the sessions of both versions in the tables of the original', async () => {
    await withAgent({ ready: true, reasons: [], bgp: { peers } }, async () => {
      expect(await run('node status')).toEqual({
        code: 0,
        err: '',
        out: [
          'Calico process is running.',
          '',
          'IPv4 BGP status',
          '+--------------+-------------------+-------+----------+-------------+',
          '| PEER ADDRESS |     PEER TYPE     | STATE |  SINCE   |    INFO     |',
          '+--------------+-------------------+-------+----------+-------------+',
          '| 172.17.8.102 | node-to-node mesh | up    | 23:30:04 | Established |',
          '+--------------+-------------------+-------+----------+-------------+',
          '',
          'IPv6 BGP status',
          'No IPv6 peers found.',
          '\n',
        ].join('\n'),
      });
      expect(JSON.parse((await run('node status -o json')).out)).toMatchObject({
        running: true,
        ready: true,
        bgp: { kind: 'peers', peers },
      });
      expect((await run('node status -o yaml')).out).toContain('running: true\n');
    });
  });

  test('tells how many routes BGP has, and that it recovers from a restart', async () => {
    const bgp = { peers, routes: { 4: 12, 6: 3 }, recovering: true };
    await withAgent({ ready: true, reasons: [], bgp }, async () => {
      const { out } = await run('node status');
      expect(out).toContain('\n\nBGP routes: 12 IPv4, 3 IPv6\nINFO: BGP recovers from a restart: ');
    });
  });

  test('says that no BGP daemon runs, and why the agent is not ready', async () => {
    await withAgent({ ready: false, reasons: ['waiting for the datastore'] }, async () => {
      expect((await run('node status')).out).toBe(
        'Calico process is running.\n\nNone of the BGP backend processes (BIRD or GoBGP) are running.\n\nINFO: not ready: waiting for the datastore\n\n',
      );
    });
    await withAgent({ ready: true, reasons: [], bgp: { error: 'gone' } }, async () => {
      expect((await run('node status')).out).toContain(
        'Error querying BIRD: unable to connect to BIRDv4 socket: ',
      );
    });
  });
});

describe('node checksystem', () => {
  test('tries what the data plane needs, and touches nothing outside of its namespaces', async () => {
    const links = async (): Promise<string> => (await runProgram('ip', ['-o', 'link'])).stdout;
    const before = await links();
    const { code, out } = await run('node checksystem', { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' });
    expect(code).toBe(0);
    expect(out).toMatch(
      /^Checking kernel version\.\.\.\n\t\t\S.{19}\t\t\t\t\tOK\nChecking kernel modules\.\.\.\n/,
    );
    expect(out).toContain('\t\tnf_tables           \t\t\t\t\tOK\n');
    expect(out).toMatch(/\nSystem meets minimum system requirements to run Calico!\n$/);
    expect(await links()).toBe(before);
  });

  test('fails where a feature cannot be used', async () => {
    const structured = await run('node checksystem -o json', { PATH: '/nowhere' });
    expect([structured.code, JSON.parse(structured.out)]).toMatchObject([
      1,
      { ok: false, kernel: { ok: true } },
    ]);
    const { code, out } = await run('node checksystem', { PATH: '/nowhere' });
    expect(code).toBe(1);
    expect(out).toContain('\t\tnf_tables           \t\t\t\t\tFAIL\n');
    expect(out).toMatch(/\nSystem doesn't meet one or more minimum systems requirements to run Calico\n$/);
  });
});

describe('node diags', () => {
  test('packs the state of host and agent and the logs into one archive for its owner only', async () => {
    mkdirSync(join(runDir, 'log'));
    writeFileSync(join(runDir, 'log', 'felix.log'), 'a line\n');
    const status = { ready: true, reasons: [], node: 'n1' };
    const { code, out } = await withAgent(
      status,
      async () =>
        await run(`node diags --log-dir=${join(runDir, 'log')}`, {
          ETCD_PASSWORD: 'the-secret',
          PATH: process.env['PATH'] ?? '',
          TMPDIR: runDir,
        }),
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^Collecting diagnostics\nUsing temp dir: \/\S+\/calico\w+\nDumping netstat\n/);
    const archive = /\nDiags saved to (\S+\.tar\.gz)\n/.exec(out)?.[1] ?? '';
    expect(statSync(archive).mode & 0o777).toBe(0o600);
    const list = (await runProgram('tar', ['-tzf', archive])).stdout.split('\n');
    for (const name of ['date', 'ipv4_route', 'nftables', 'agent', 'logs/felix.log'])
      expect(list).toContain(`diagnostics/${name}`);
    expect((await runProgram('tar', ['-xzOf', archive])).stdout).not.toContain('the-secret');
  });

  test('says what is missing and goes on', async () => {
    const { code, out } = await run('node diags --log-dir=/nowhere', {
      PATH: '/usr/bin:/bin',
      TMPDIR: runDir,
    });
    expect(code).toBe(0);
    expect(out).toContain('exec: "ipset": executable file not found in $PATH\n');
    expect(out).toContain('Dumping felix stats\nCalico process is not running.\n');
    expect(out).toMatch(/\nError copying log files: .*\n\nDiags saved to /);
  });
});

describe('node run', () => {
  test('--dryrun prints the command of the original, without root and without docker', async () => {
    expect(await run('node run --dryrun --name=n1 --node-image=calico/node:x')).toEqual({
      code: 0,
      err: '',
      out: `Use the following command to start the calico/node container:

docker run --net=host --privileged --name=calico-node -d --restart=always -e NODENAME=n1 -e CALICO_NETWORKING_BACKEND=bird -e NO_DEFAULT_POOLS= -e CALICO_LIBNETWORK_ENABLED=true -e CALICO_LIBNETWORK_IFPREFIX=cali -e ETCD_ENDPOINTS= -e ETCD_AUTHORITY=127.0.0.1:2379 -e ETCD_SCHEME=http -v /var/log/calico:/var/log/calico -v /var/run/calico:/var/run/calico -v /lib/modules:/lib/modules -v /run/docker/plugins:/run/docker/plugins -v /var/run/docker.sock:/var/run/docker.sock calico/node:x

If you are running calico/node in an init system, use the --init-system flag
to display the appropriate start and stop commands.
`,
    });
  });

  test('--dryrun --init-system prints how to stop it, with all that was given', async () => {
    const { out } = await run(
      'node run --dryrun --init-system --name=n1 --ip=autodetect --ip6=AA::1 --as=1.10 --backend=none --no-default-ippools --disable-docker-networking --log-dir=/l --node-image=i',
      {
        ETCD_ENDPOINTS: 'https://e:2379',
        ETCD_CA_CERT_FILE: '/ca',
        ETCD_KEY_FILE: '/k',
        ETCD_CERT_FILE: '/c',
      },
    );
    expect(out.split('\n').slice(2)).toEqual([
      'docker run --net=host --privileged --name=calico-node --rm -e NODENAME=n1 -e CALICO_NETWORKING_BACKEND=none -e NO_DEFAULT_POOLS=true -e CALICO_LIBNETWORK_ENABLED=false -e AS=65546 -e IP=autodetect -e IP6=aa::1 -e ETCD_ENDPOINTS=https://e:2379 -e ETCD_AUTHORITY= -e ETCD_SCHEME= -e ETCD_CA_CERT_FILE=/etc/calico/certs/ca_cert.crt -e ETCD_KEY_FILE=/etc/calico/certs/key.pem -e ETCD_CERT_FILE=/etc/calico/certs/cert.crt -v /l:/var/log/calico -v /var/run/calico:/var/run/calico -v /lib/modules:/lib/modules -v /ca:/etc/calico/certs/ca_cert.crt -v /k:/etc/calico/certs/key.pem -v /c:/etc/calico/certs/cert.crt i',
      '',
      'Use the following command to stop the calico/node container:',
      '',
      'docker stop calico-node',
      '',
      '',
    ]);
  });

  test.each([
    ['--ip=10.0.0', 'invalid IP address specified: 10.0.0'],
    ['--ip=aa::1', '--ip is wrong IP version'],
    ['--ip6=10.0.0.1', '--ip6 is wrong IP version'],
    ['--ip6=autodetect', 'invalid IP address specified: autodetect'],
    ['--as=65536.1', 'invalid AS Number specified: 65536.1'],
    ['--backend=frr', "unknown backend 'frr'"],
    ['--name=a/b', 'unable to determine node name'],
    ['--docker-networking-ifprefix=a-b', "invalid interface prefix 'a-b'"],
    ['--dryrun', 'unsupported backend specified in config'],
  ])('refuses %s', async (option, message) => {
    expect(await run(`node run ${option}`, { DATASTORE_TYPE: 'kubernetes' })).toEqual({
      code: 1,
      out: `Error executing command: ${message}\n`,
      err: '',
    });
  });

  test('--init-system prints a systemd unit that starts the agent of this installation', async () => {
    const { out } = await run('node run --init-system --name=n1 --ip=10.0.0.1', {
      ETCD_ENDPOINTS: 'http://a:1,http://b:2',
      ETCD_PASSWORD: 'the-secret',
      CALICO_STATE_DIR: '/srv/100% "calico"',
    });
    expect(out).toContain('Environment="NODENAME=n1"\n');
    expect(out).toContain('Environment="ETCD_ENDPOINTS=http://a:1,http://b:2"\n');
    expect(out).not.toContain('the-secret');
    expect(out).toContain('\n# ETCD_PASSWORD is a secret: put it into /etc/calico/calico-node.env');
    expect(out).toContain('Environment="CALICO_STATE_DIR=/srv/100%% \\"calico\\""\n');
    expect(out).toMatch(/\nExecStart="\/\S+\/bin\/calico-node"\n/);
  });

  describe('--node-image', () => {
    /** Stands where the container engine would be, and writes down what it was asked. */
    function engine(script: string): Readonly<Record<string, string>> {
      const path = join(runDir, 'docker');
      writeFileSync(path, `#!/bin/sh\necho "$@" >> ${runDir}/asked\ncase $1 in\n${script}\nesac\n`);
      chmodSync(path, 0o755);
      return { PATH: `${runDir}:/usr/bin:/bin`, CALICO_CTL_CONTAINER: '1' };
    }
    const asked = (): readonly string[] => readFileSync(join(runDir, 'asked'), 'utf8').trimEnd().split('\n');

    test('starts the container in place of an old one, and shows its log until it runs', async () => {
      const env = engine(
        'logs) echo "Calico node name:  n1"; echo "Calico node started successfully"; sleep 60;;',
      );
      const { code, out } = await run('node run --name=n1 --node-image=calico/node:x', env);
      expect(out).toMatch(
        /^Removing old calico-node container \(if running\)\.\nRunning the following command to start calico-node:\n\ndocker run --net=host .* calico\/node:x\n\nImage may take a short time to download if it is not available locally\.\nContainer started, checking progress logs\.\nCalico node name: {2}n1\nCalico node started successfully\n$/,
      );
      expect(code).toBe(0);
      expect(asked()).toEqual([
        'rm -f calico-node',
        expect.stringMatching(
          /^run --net=host --privileged --name=calico-node -d --restart=always -e NODENAME=n1 /,
        ),
        'logs -f calico-node',
      ]);
    });

    test.each([
      ['cannot be started', 'run) echo "no such image" >&2; exit 125;;', 'no such image'],
      [
        'ends at once',
        'logs) echo bye;; inspect) echo false;;',
        'calico/node has terminated, check logs for details',
      ],
    ])('says why one %s, and fails', async (_case, script, message) => {
      const { code, out } = await run('node run --node-image=calico/node:x', engine(script));
      expect(code).toBe(1);
      expect(out.split('\n').at(-2)).toBe(`Error executing command: ${message}`);
    });

    test('stays attached with --init-system, and ends as the container does', async () => {
      const { code } = await run('node run --init-system --node-image=i', engine('run) exit 7;;'));
      expect(code).toBe(7);
      expect(asked().at(-1)).toMatch(/^run --net=host --privileged --name=calico-node --rm /);
    });

    test('says that there is no engine', async () => {
      const env = { PATH: '/nowhere', CALICO_CTL_CONTAINER: '1' };
      const { code, out } = await run('node run --node-image=calico/node:x', env);
      expect(code).toBe(1);
      expect(out).toMatch(/\nError executing command: docker run .*ENOENT\n$/);
    });
  });

  describe('with an agent', () => {
    /** Stands where the agent of the installation would be. */
    function agentProgram(script: string): void {
      const path = join(calicoctl.directory, 'bin');
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'calico-node'), `#!/bin/sh\n${script}\n`);
      chmodSync(join(path, 'calico-node'), 0o755);
    }

    test('that ends at once says where its log is', async () => {
      agentProgram('echo "no good: $NODENAME $IP"; exit 3');
      const logDir = join(runDir, 'log');
      const { code, out } = await run(`node run --name=n9 --ip=10.0.0.1 --log-dir=${logDir}`);
      expect(code).toBe(1);
      expect(out).toBe(
        `Starting calico-node, checking progress.\nError executing command: calico/node has terminated, check logs for details (exit status 3; ${logDir}/calico-node.log)\n`,
      );
      expect(readFileSync(join(logDir, 'calico-node.log'), 'utf8')).toBe('no good: n9 10.0.0.1\n');
    });

    test('that becomes ready leaves it running, and does not start a second one', async () => {
      const server = `require('node:http').createServer((q, r) => r.end('ready')).listen(process.env.CALICO_RUN_DIR + '/control.sock')`;
      agentProgram(`exec '${process.execPath}' -e "${server}"`);
      const line = `node run --name=n9 --log-dir=${join(runDir, 'log')}`;
      const { code, out } = await run(line);
      const pid = Number(/Calico node started successfully \(process (\d+)\)\n$/.exec(out)?.[1]);
      try {
        expect(code).toBe(0);
        expect(existsSync(`/proc/${String(pid)}`)).toBe(true);
        expect(await run(line)).toMatchObject({
          code: 1,
          out: expect.stringContaining('calico-node is running already'),
        });
      } finally {
        process.kill(pid);
        rmSync(join(runDir, 'control.sock'), { force: true });
      }
    });
  });
});
