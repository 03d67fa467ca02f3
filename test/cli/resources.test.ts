import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { calicoctlSession } from './session.js';

const session = calicoctlSession();
const { run, outOf } = session;

const hostEndpoints = `
- apiVersion: v1
  kind: hostEndpoint
  metadata: {name: endpoint1, hostname: host1, labels: {type: database}}
  spec: {expectedIPs: [1.2.3.4, "00:bb::aa"], profiles: [prof1, prof2]}
- apiVersion: v1
  kind: hostEndpoint
  metadata: {name: eth0, node: myhost}
  spec: {interfaceName: eth0, profiles: [profile1]}
`;

const policy = (name: string, spec = '{}'): string =>
  `apiVersion: v1\nkind: policy\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const pool = (cidr: string): string => `apiVersion: v1\nkind: ipPool\nmetadata: {cidr: ${cidr}}\n`;

describe('create, apply, replace and delete', () => {
  test('say how many resources of which kind they have handled', async () => {
    expect(await run('create -f -', policy('a'))).toEqual({
      code: 0,
      out: "Successfully created 1 'policy' resource(s)\n",
      err: '',
    });
    expect(await outOf('apply -f -', `${policy('a')}---\n${policy('b')}`)).toBe(
      "Successfully applied 2 'policy' resource(s)\n",
    );
    expect(await outOf('replace -f -', `${policy('a')}---\n${policy('b')}`)).toBe(
      "Successfully replaced 2 'policy' resource(s)\n",
    );
    expect(await outOf('apply -f -', `${policy('c')}---\n${pool('10.0.0.0/16')}`)).toBe(
      'Successfully applied 2 resource(s)\n',
    );
    expect(await outOf('delete -f -', policy('a'))).toBe("Successfully deleted 1 'policy' resource(s)\n");
    expect(await outOf('delete POLS b')).toBe("Successfully deleted 1 'policy' resource(s)\n");
    expect(await outOf('delete pool 10.0.7.7/16')).toBe("Successfully deleted 1 'ipPool' resource(s)\n");
    expect(await outOf('get pol -o yaml')).toContain('name: c\n');
  });

  test('fail on what exists or does not, unless they are told to skip it', async () => {
    expect(await run('replace -f -', policy('a'))).toMatchObject({
      code: 1,
      out: "Failed to replace 'policy' resource: resource does not exist: Policy(name=a)\n",
    });
    expect(await run('delete pol a')).toMatchObject({
      code: 1,
      out: "Failed to delete 'policy' resource: resource does not exist: Policy(name=a)\n",
    });
    expect((await run('delete -s pol a')).out).toBe("Successfully deleted 1 'policy' resource(s)\n");
    await run('create -f -', policy('a'));
    expect(await run('create -f -', policy('a'))).toMatchObject({
      code: 1,
      out: "Failed to create 'policy' resource: resource already exists: Policy(name=a)\n",
    });
    expect((await run('create --skip-exists -f -', policy('a'))).code).toBe(0);
  });

  test('write nothing when one of many resources cannot be written', async () => {
    await run('create -f -', policy('c'));
    const three = ['a', 'b', 'c'].map(name => policy(name)).join('---\n');
    expect(await run('create -f -', three)).toMatchObject({
      code: 1,
      out: "Failed to create any 'policy' resources: resource already exists: Policy(name=c)\n",
    });
    expect(await run('create -f -', `${three}---\n${pool('10.0.0.0/16')}`)).toMatchObject({
      code: 1,
      out: 'Failed to create any resources: resource already exists: Policy(name=c)\n',
    });
    expect(await outOf('get pol')).toBe('NAME   \nc      \n\n');
  });

  test.each(['create', 'apply', 'replace', 'delete'])(
    '%s writes nothing when one resource of a file is wrong',
    async verb => {
      await run('create -f -', policy('kept'));
      const good = Array.from({ length: 50 }, (_, i) => policy(`p${String(i)}`)).join('---\n');
      const wrong = policy('wrong', '{ingress: [{action: permit}]}');
      writeFileSync(join(session.directory, 'many.yaml'), `${good}---\n${wrong}---\n${policy('kept')}`);
      expect(await run(`${verb} -f many.yaml`)).toEqual({
        code: 1,
        out: "Failed to execute command: error with field action = 'permit' (many.yaml, document 51: spec.ingress[0].action: expected allow, deny, log or pass)\n",
        err: '',
      });
      expect(await outOf('get pol')).toBe('NAME   \nkept   \n\n');
    },
  );

  test('tell each of several mistakes on a line of its own, with an empty line at the end', async () => {
    const wrong = policy('a b', '{selector: "a ==", ingress: [{action: allow, protocol: TCP}]}');
    const { code, out } = await run('apply -f -', wrong);
    expect(code).toBe(1);
    expect(out.split('\n')).toEqual([
      'Failed to execute command: error with the following fields:',
      expect.stringMatching(
        /^- {2}name = 'a b' \(standard input, document 1: metadata\.name: expected .+\)$/,
      ),
      expect.stringMatching(
        /^- {2}selector = 'a ==' \(standard input, document 1: spec\.selector: expected .+\)$/,
      ),
      expect.stringMatching(
        /^- {2}Protocol = 'TCP' \(protocol name invalid\) \(standard input, document 1: spec\.ingress\[0\]\.protocol: expected .+\)$/,
      ),
      '',
      '',
    ]);
  });

  test('say what is wrong with the file', async () => {
    expect(await outOf('apply -f nowhere.yaml')).toBe(
      'Failed to execute command: open nowhere.yaml: no such file or directory\n',
    );
    mkdirSync(join(session.directory, 'empty'), { recursive: true });
    expect(await outOf('apply -f empty')).toBe(
      'Failed to execute command: read empty: no .yaml, .yml or .json file in it (-R looks in the directories below it too)\n',
    );
    expect(await outOf('apply -f -', '[]')).toBe('No resources specified in file\n');
    expect(await outOf('apply -f -', 'a: [\n')).toMatch(
      /^Failed to execute command: error parsing document: yaml: line \d+: .+ \(standard input, document 1\)\n$/,
    );
  });

  test.each([
    ['delete nothing x', "Failed to execute command: Resource type 'nothing' is not supported"],
    [
      'delete polici x',
      "Failed to execute command: Resource type 'polici' is not supported (did you mean 'policy'?)",
    ],
    ['delete pool x', 'Failed to execute command: invalid CIDR address: x'],
    ['delete bgppeer x', 'Failed to execute command: invalid IP address: x'],
    [
      'delete bgppeer 1.2.3.4 --scope=x',
      "Failed to execute command: Unrecognized scope 'x', must be one of: global, node",
    ],
    ['delete hep eth0', "Failed to delete 'hostEndpoint' resource: insufficient identifiers, missing 'node'"],
    [
      'delete wep eth0 --node=n',
      "Failed to delete 'workloadEndpoint' resource: insufficient identifiers, missing 'orchestrator'",
    ],
    [
      'delete bgppeer 1.2.3.4',
      "Failed to delete 'bgpPeer' resource: insufficient identifiers, missing 'scope'",
    ],
    ['get nothing', "Failed to get resources: Resource type 'nothing' is not supported"],
    ['get pool x', 'Failed to get resources: invalid CIDR address: x'],
    ['get pol -o xml', "unrecognized output format 'xml'"],
    ['get pol -o custom-columns=', 'need to specify at least one column'],
    ['get pol -o go-template=', 'need to specify a template'],
    ['get pol -o go-template-file=', 'need to specify a template file'],
    [
      'get hep -o custom-columns=NAME,WHAT',
      'Unknown heading WHAT, valid values are: HOSTNAME, NAME, INTERFACE, IPS, PROFILES, NODE',
    ],
  ])('%s fails with: %s', async (line, message) => {
    expect(await run(line)).toEqual({ code: 1, out: `${message}\n`, err: '' });
  });
});

describe('get', () => {
  test('prints the tables of the original', async () => {
    await run('create -f -', hostEndpoints);
    expect(await outOf('get hostEndpoint')).toBe(
      'HOSTNAME   NAME        \nhost1      endpoint1   \nmyhost     eth0        \n\n',
    );
    expect(await outOf('get hostEndpoint --output=wide')).toBe(
      [
        'HOSTNAME   NAME        INTERFACE   IPS                PROFILES      ',
        'host1      endpoint1               1.2.3.4,0:bb::aa   prof1,prof2   ',
        'myhost     eth0        eth0                           profile1      ',
        '\n',
      ].join('\n'),
    );
    expect(await outOf('get hostEndpoint --output=custom-columns=NAME,IPS')).toBe(
      'NAME        IPS                \nendpoint1   1.2.3.4,0:bb::aa   \neth0                           \n\n',
    );
  });

  test('prints YAML and JSON of the original, which every command takes as input', async () => {
    await run('create -f -', hostEndpoints);
    const yaml = await outOf('get hep -n host1 -o yaml');
    expect(yaml).toBe(
      `- apiVersion: v1
  kind: hostEndpoint
  metadata:
    labels:
      type: database
    name: endpoint1
    node: host1
  spec:
    expectedIPs:
    - 1.2.3.4
    - 0:bb::aa
    profiles:
    - prof1
    - prof2
`,
    );
    await run('create -f -', policy('a', `{order: 1000000, selector: "a == 'b' && c == 'd'"}`));
    const json = await outOf('get pol -ojson');
    expect(json).toBe(
      `[
  {
    "kind": "policy",
    "apiVersion": "v1",
    "metadata": {
      "name": "a"
    },
    "spec": {
      "order": 1000000,
      "selector": "a == 'b' \\u0026\\u0026 c == 'd'"
    }
  }
]
`,
    );
    for (const text of [yaml, json]) {
      expect((await run('replace -f -', text)).code).toBe(0);
      expect((await run('delete -f -', text)).code).toBe(0);
      expect((await run('create -f -', text)).code).toBe(0);
    }
    expect(await outOf('get pol -o wide')).toBe(
      "NAME   ORDER   SELECTOR               \na      1e+06   a == 'b' && c == 'd'   \n\n".replace(
        /SELECTOR +/,
        'SELECTOR'.padEnd(23),
      ),
    );
  });

  test('finds nothing without an error', async () => {
    expect(await run('get pol nothing')).toEqual({ code: 0, out: 'NAME   \n\n', err: '' });
    expect(await outOf('get pol nothing -o yaml')).toBe('[]\n');
    expect(await outOf('get pol nothing -o json')).toBe('[]\n');
  });

  test('selects by the identifiers that are given', async () => {
    const peers = `[${[
      'scope: global, peerIP: 10.0.0.1',
      'scope: node, node: n1, peerIP: 10.0.0.1',
      'scope: node, node: n2, peerIP: "aa::1"',
    ]
      .map(metadata => `{apiVersion: v1, kind: bgpPeer, metadata: {${metadata}}, spec: {asNumber: 64512}}`)
      .join(',')}]`;
    await run('create -f -', peers);
    const rows = async (line: string): Promise<number> =>
      (await outOf(line)).trimEnd().split('\n').length - 1;
    expect(await rows('get bgpp')).toBe(3);
    expect(await rows('get bgpp 10.0.0.1')).toBe(2);
    expect(await rows('get bgpp --node=n1')).toBe(1);
    expect(await rows('get bgpp --scope=node')).toBe(2);
    expect(await rows('get bgpp --scope=global --node=n1')).toBe(0);
    expect(await rows('get bgpp AA:0::1 -n n2')).toBe(1);
    await run(
      'create -f -',
      `${pool('10.0.10.0/24')}---\n${pool('10.0.2.0/24')}---\n${pool('10.0.1.7/24')}---\n${pool('aa::/64')}`,
    );
    expect(await outOf('get pools')).toBe(
      'CIDR           \n10.0.1.0/24    \n10.0.10.0/24   \n10.0.2.0/24    \naa::/64        \n\n',
    );
    expect(await rows('get pool 10.0.2.9/24')).toBe(1);
  });

  test('shows one table for each resource of a file, in its order', async () => {
    await run('create -f -', `${policy('a')}---\n${policy('b')}---\n${pool('10.0.0.0/16')}`);
    expect(
      await outOf('get -f -', `${policy('b')}---\n${pool('10.0.0.0/16')}---\n${policy('nothing')}`),
    ).toBe('NAME   \nb      \n\nCIDR          \n10.0.0.0/16   \n\nNAME   \n\n');
    expect(await run('get -f -', 'kind: no')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Failed to execute command: Unknown resource type \(no\)/),
    });
    expect(await run('get -f -', '[]')).toMatchObject({
      code: 1,
      out: 'Failed to get resources: no resources specified\n',
    });
  });

  test('shows the AS number that a node inherits in parentheses', async () => {
    const node = (name: string, bgp: string): string =>
      `apiVersion: v1\nkind: node\nmetadata: {name: ${name}}\nspec: {bgp: {${bgp}}}\n`;
    await run(
      'create -f -',
      `${node('n1', 'ipv4Address: 10.0.0.1')}---\n${node('n2', 'ipv4Address: 10.0.0.2, asNumber: 65001')}`,
    );
    expect(await outOf('get nodes -o wide')).toBe(
      [
        'NAME   ASN       IPV4       IPV6   ',
        'n1     (64512)   10.0.0.1          ',
        'n2     65001     10.0.0.2          ',
        '\n',
      ].join('\n'),
    );
  });
});

describe('get -o go-template', () => {
  const names = '{{range .}}{{range .Items}}{{.Metadata.Name}},{{end}}{{end}}';

  test('prints what the template makes of the lists, without a newline', async () => {
    await run('create -f -', hostEndpoints);
    const out = 'endpoint1,eth0,';
    expect(await run(['get', 'hep', '-o', `go-template=${names}`])).toEqual({
      code: 0,
      out,
      err: '',
    });
    writeFileSync(join(session.directory, 'names.tmpl'), names);
    expect(await outOf('get hep -o go-template-file=names.tmpl')).toBe(out);
    expect(await outOf('get hep --output=go-template={{config"asnumber"}}')).toContain('bad character');
    expect(await outOf(['get', 'no', '-o', 'go-template={{config "asnumber"}}'])).toBe('64512');
  });

  test('fails with one line for a template that is wrong, missing, or does not fit', async () => {
    await run('create -f -', hostEndpoints);
    expect(await run('get hep -o go-template={{.Foo')).toEqual({
      code: 1,
      out: 'template: get:1: unclosed action\n',
      err: '',
    });
    expect(await run('get hep -o go-template={{.Foo}}')).toMatchObject({
      code: 1,
      out: 'template: get:1: executing "get" at <.Foo>: can\'t evaluate field Foo in type list\n',
    });
    expect(await run('get hep -o go-template-file=missing.tmpl')).toMatchObject({
      code: 1,
      out: 'open missing.tmpl: no such file or directory\n',
    });
  });
});

describe('the datastore', () => {
  test('that is not there yet is the embedded one, made for its owner only', async () => {
    expect((await run('get pol')).code).toBe(0);
  });

  test('that cannot be opened is told in one line', async () => {
    writeFileSync(join(session.directory, 'file'), '');
    for (const line of ['get pol', 'apply -f -', 'delete pol a']) {
      const ran = await run(line, policy('a'), { CALICO_STATE_DIR: join(session.directory, 'file') });
      expect(ran.code).toBe(1);
      expect(ran.err).toBe('');
      expect(ran.out).toMatch(/^Failed to create Calico API client: .+\n$/);
    }
  });

  test('is the one that a configuration file names, and then the environment does not count', async () => {
    const config = (spec: string): string =>
      `apiVersion: v1\nkind: calicoApiConfig\nmetadata:\nspec: ${spec}\n`;
    mkdirSync(join(session.directory, 'etc'), { recursive: true });
    const path = join(session.directory, 'etc', 'c.cfg');
    const getWith = async (text: string, more: Readonly<Record<string, string>> = {}): Promise<string> => {
      writeFileSync(path, text);
      return await outOf(['get', 'pol', '-c', path], '', { ...session.env, ...more });
    };
    const failed = 'Failed to create Calico API client:';
    expect(await getWith(config('{datastoreType: sqlite}'), { DATASTORE_TYPE: 'nonsense' })).toBe(
      'NAME   \n\n',
    );
    expect(await getWith(config('{datastoreType: nonsense}'))).toBe(
      `${failed} Unknown datastore type: nonsense\n`,
    );
    expect(await getWith(config('{datastoreType: etcdv2}'))).toBe(
      `${failed} no etcd authority or endpoints specified\n`,
    );
    expect(await getWith(config('{nothing: 1}'))).toBe(
      `${failed} error parsing document: field in document is not recognized or is in the wrong location: nothing (${path})\n`,
    );
    expect(await getWith('apiVersion: v2\nkind: calicoApiConfig\n')).toBe(
      `${failed} invalid config file: unknown APIVersion 'v2' (${path})\n`,
    );
    expect(await getWith('apiVersion: v1\nkind: other\n')).toBe(
      `${failed} invalid config file: expected kind 'calicoApiConfig', got 'other' (${path})\n`,
    );
    expect(await getWith('a: [')).toMatch(
      /^Failed to create Calico API client: error parsing document: yaml: line \d+: .+\n$/,
    );
  });

  test('is the one that the environment names, CALICO_ first', async () => {
    const withEnv = async (more: Readonly<Record<string, string>>): Promise<string> =>
      await outOf('get pol -c /nowhere.cfg', '', { ...session.env, ...more });
    expect(await withEnv({ DATASTORE_TYPE: 'sqlite' })).toBe('NAME   \n\n');
    expect(await withEnv({ DATASTORE_TYPE: 'x', CALICO_DATASTORE_TYPE: 'sqlite' })).toBe('NAME   \n\n');
    expect(await withEnv({ DATASTORE_TYPE: 'x' })).toBe(
      'Failed to create Calico API client: Unknown datastore type: x\n',
    );
  });
});

describe('why', () => {
  const workload = (name: string, role: string, ip: string): string =>
    `apiVersion: v1
kind: workloadEndpoint
metadata: {node: h1, orchestrator: k8s, workload: ${name}, name: eth0, labels: {role: ${role}}}
spec: {interfaceName: cali${name}, ipNetworks: [${ip}/32], profiles: []}
`;

  beforeEach(async () => {
    const rules =
      '{selector: "role == \'db\'", ingress: [{action: deny, source: {net: 10.9.0.0/16}}, {action: allow, protocol: tcp, source: {selector: "role == \'web\'"}, destination: {ports: [5432]}}]}';
    const out = '{selector: "role == \'web\'", egress: [{action: allow}]}';
    const all = [
      policy('db', rules),
      policy('web', out),
      workload('w1', 'web', '10.0.0.1'),
      workload('w2', 'web', '10.0.0.2'),
      workload('d1', 'db', '10.0.0.3'),
    ];
    await run('create -f -', all.join('---\n'));
  });

  test('names the verdict on the first line, and the rule that decided', async () => {
    const { code, out } = await run('why w1 d1 tcp:5432');
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toMatch(/w1 .*d1 .*port 5432: allowed$/);
    expect(out).toContain("policy 'db'");
    const denied = await outOf('why w1 d1 tcp:80');
    expect(denied.split('\n')[0]).toMatch(/: denied$/);
    expect((await outOf('why 10.9.1.1 d1 tcp:5432')).split('\n')[0]).toMatch(
      /10\.9\.1\.1, outside.*: denied$/,
    );
  });

  test('knows the parameters of the agents that change the verdict, for all hosts and for one', async () => {
    const node = (name: string, ip: string): string =>
      `apiVersion: v1\nkind: node\nmetadata: {name: ${name}}\nspec: {bgp: {ipv4Address: ${ip}}}\n`;
    const uplink =
      'apiVersion: v1\nkind: hostEndpoint\nmetadata: {name: uplink, node: h2}\nspec: {interfaceName: eth0}\n';
    await run('create -f -', [node('h1', '192.0.2.1'), node('h2', '192.0.2.2'), uplink].join('---\n'));
    const toHost = async (): Promise<string> => await outOf('why w1 h1 tcp:9999');
    expect(await toHost()).toContain('DefaultEndpointToHostAction is DROP');
    await run('config set DefaultEndpointToHostAction ACCEPT --raw=felix');
    expect(await toHost()).toContain('DefaultEndpointToHostAction is ACCEPT');
    await run('config set DefaultEndpointToHostAction RETURN --raw=felix --node=h1');
    expect(await toHost()).toContain('DefaultEndpointToHostAction is RETURN');
    const toOther = async (): Promise<string> => await outOf('why w1 h2 tcp:9999');
    expect(await toOther()).toContain('denied on the way into interface uplink of host h2');
    await run('config set FailsafeInboundHostPorts tcp:9999 --raw=felix --node=h2');
    expect(await toOther()).toContain('it is a failsafe port');
  });

  test('takes selectors, addresses, endpoint ids and other protocols', async () => {
    const verdicts = (text: string): number =>
      text.split('\n').filter(line => /^\S.*: (?:allowed|denied)$/.test(line)).length;
    const bySelector = await run(['why', "role == 'web'", 'd1', 'tcp:5432']);
    expect(verdicts(bySelector.out)).toBe(2);
    expect(verdicts(await outOf('why 10.0.0.1 10.0.0.3'))).toBe(1);
    expect(verdicts(await outOf('why h1/k8s/w1/eth0 d1 icmp'))).toBe(1);
    expect(JSON.parse(await outOf('why w1 d1 tcp:5432 -o json'))).toMatchObject([
      { allowed: true, because: expect.stringContaining("policy 'db'") },
    ]);
  });

  test.each([
    ['why nobody d1', "Error executing command: 'nobody' is no endpoint, host, address or selector"],
    [
      'why w11 d1',
      "Error executing command: 'w11' is no endpoint, host, address or selector; did you mean 'w1'?",
    ],
    ['why 10.0.0.300 d1', "Error executing command: '10.0.0.300' is no endpoint, host, address or selector"],
    [
      ['why', "role == 'x'", 'd1'],
      "Error executing command: 'role == 'x'' as a selector matches no endpoint with an address",
    ],
    [['why', 'has(', 'd1'], "Error executing command: 'has(' is no selector: Expected == or != not ("],
    [
      'why w1 d1 tcp',
      "Error executing command: service 'tcp': expected a protocol, with a port where it has ports, such as tcp:80, udp:53, icmp or 47",
    ],
    ['why w1 d1 tcp:80 -o xml', "unrecognized output format 'xml'"],
    ['why w1 aa::1', "Error executing command: 'w1' and 'aa::1' share no IP version"],
  ])('%s fails with: %s', async (line, message) => {
    expect(await run(line)).toEqual({ code: 1, out: `${message}\n`, err: '' });
  });
});
