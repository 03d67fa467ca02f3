import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import type { Ran } from './program.js';
import { calicoctlSession } from './session.js';

const session = calicoctlSession();
const { run, outOf } = session;

const policy = (name: string, selector = 'all()'): string =>
  `apiVersion: v1\nkind: policy\nmetadata: {name: ${name}}\nspec: {selector: "${selector}"}\n`;
const profile = (name: string, role: string): string =>
  `apiVersion: v1\nkind: profile\nmetadata: {name: ${name}, labels: {role: ${role}}}\n`;

function write(path: string, text: string): void {
  const file = join(session.directory, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
}

describe('several files and directories', () => {
  beforeAll(() => {
    write('tree/b.yaml', policy('b'));
    write('tree/a.yml', policy('a'));
    write('tree/notes.txt', 'kind: nothing');
    write('tree/below/c.json', '{"apiVersion": "v1", "kind": "policy", "metadata": {"name": "c"}}');
    write('bad/one.yaml', policy('a b'));
    write('bad/two.yaml', 'kind: [');
  });

  test('are read in order as one input', async () => {
    expect(await outOf('apply -f tree -o name')).toBe('policy/a\npolicy/b\n');
    expect(await outOf('apply -R -f tree -f - -o name', policy('d'))).toBe(
      'policy/a\npolicy/b\npolicy/c\npolicy/d\n',
    );
    expect(await outOf('get pol -o name')).toBe('policy/a\npolicy/b\npolicy/c\npolicy/d\n');
    expect(await outOf('delete -f tree/b.yaml -f tree/below')).toBe(
      "Successfully deleted 2 'policy' resource(s)\n",
    );
  });

  test('with mistakes are told all of them, and nothing is written', async () => {
    const { code, out } = await run('apply -f tree -f bad -f -', policy('x y'));
    expect(code).toBe(1);
    expect(out).toMatch(
      /one\.yaml, document 1.*\n.*two\.yaml, document 1.*\n.*standard input, document 1.*\n$/,
    );
    expect(await outOf('get pol -o name')).toBe('');
    expect(await outOf('apply -f - -f -')).toContain('standard input can be read only once');
  });
});

describe('--dry-run', () => {
  test('says what would be done with each resource, and does nothing', async () => {
    await run('create -f -', `${policy('same')}---\n${policy('other')}`);
    const files = [policy('same'), policy('other', "a == 'b'"), policy('new')].join('---\n');
    expect(await run('apply --dry-run -f -', files)).toEqual({
      code: 0,
      out: 'policy/same unchanged (dry run)\npolicy/other changed (dry run)\npolicy/new created (dry run)\nNothing was written: 1 unchanged, 1 changed, 1 created\n',
      err: '',
    });
    expect(await outOf('delete pol same --dry-run')).toBe(
      'policy/same deleted (dry run)\nNothing was written: 1 deleted\n',
    );
    expect(await outOf('get pol -o name')).toBe('policy/other\npolicy/same\n');
  });

  test('is refused where the write would be', async () => {
    await run('create -f -', policy('a'));
    expect(await run('create --dry-run -f -', policy('a'))).toMatchObject({
      code: 1,
      out: "Failed to create 'policy' resource: resource already exists: Policy(name=a)\n",
    });
    expect(await outOf('replace --dry-run -f -', policy('b'))).toContain('resource does not exist');
    expect(await outOf('delete --dry-run pol b')).toContain('resource does not exist');
  });
});

describe('--no-atomic', () => {
  test('writes what is right up to the first mistake, and says how far it came', async () => {
    await run('create -f -', policy('p77'));
    const all = Array.from({ length: 100 }, (_, i) => policy(`p${String(i)}`)).join('---\n');
    expect(await run('create --no-atomic -f -', all)).toEqual({
      code: 1,
      out: "Partial success: created the first 77 out of 100 'policy' resources:\nHit error: resource already exists: Policy(name=p77)\n",
      err: '',
    });
    expect((await outOf('get pol -o name')).trim().split('\n')).toHaveLength(78);
    expect(await outOf('create --no-atomic -f -', policy('p0'))).toContain(
      "Failed to create 'policy' resource:",
    );
    expect(await outOf('apply --no-atomic -f -', all)).toBe(
      "Successfully applied 100 'policy' resource(s)\n",
    );
  });
});

describe('diff', () => {
  test('ends with 0 when nothing differs, 1 with the difference, 2 when it cannot compare', async () => {
    await run('create -f -', policy('a'));
    expect(await run('diff -f -', policy('a'))).toEqual({ code: 0, out: '', err: '' });
    expect(await run('diff -f -', `${policy('a', "x == 'y'")}---\n${policy('b')}`)).toEqual({
      code: 1,
      err: '',
      out: [
        '--- stored/policy/a',
        '+++ files/policy/a',
        '@@ -3,4 +3,4 @@',
        ' metadata:',
        '   name: a',
        ' spec:',
        '-  selector: all()',
        "+  selector: x == 'y'",
        '--- /dev/null',
        '+++ files/policy/b',
        '@@ -0,0 +1,6 @@',
        '+apiVersion: v1',
        '+kind: policy',
        '+metadata:',
        '+  name: b',
        '+spec:',
        '+  selector: all()',
        '',
      ].join('\n'),
    });
    expect((await run('diff -f /nowhere')).code).toBe(2);
    expect((await run('diff')).code).toBe(2);
    const unreachable = { CALICO_STATE_DIR: '/dev/null/no' };
    expect((await run('diff -f -', policy('a'), unreachable)).code).toBe(2);
  });
});

describe('get', () => {
  test('-l chooses by the labels of the resources', async () => {
    await run('create -f -', `${profile('a', 'db')}---\n${profile('b', 'web')}`);
    const getWith = async (selector: string): Promise<Ran> =>
      await run(['get', 'profile', '-o', 'name', '-l', selector]);
    expect((await getWith("role == 'db'")).out).toBe('profile/a\n');
    expect((await getWith('has(role)')).out).toBe('profile/a\nprofile/b\n');
    expect(await getWith('role =')).toEqual({
      code: 1,
      out: "Failed to get resources: error with field selector = 'role =' (--selector: expected == at character 6)\n",
      err: '',
    });
  });

  test('and delete take the names that -o name prints', async () => {
    const files = [
      '{apiVersion: v1, kind: bgpPeer, metadata: {scope: global, peerIP: "fd00::1"}}',
      '{apiVersion: v1, kind: bgpPeer, metadata: {scope: node, node: n, peerIP: 10.0.0.1}}',
      '{apiVersion: v1, kind: hostEndpoint, metadata: {node: n, name: eth0}, spec: {interfaceName: eth0}}',
      '{apiVersion: v1, kind: ipPool, metadata: {cidr: 10.0.0.0/16}}',
      '{apiVersion: v1, kind: node, metadata: {name: n}}',
      '{apiVersion: v1, kind: policy, metadata: {name: p}}',
      '{apiVersion: v1, kind: profile, metadata: {name: p}}',
      '{apiVersion: v1, kind: workloadEndpoint, metadata: {node: m, orchestrator: o, workload: w, name: e}, spec: {interfaceName: c}}',
    ];
    const names = (await outOf('create -f - -o name', files.join('\n---\n'))).trim().split('\n');
    expect(names).toHaveLength(files.length);
    for (const name of names) {
      expect(await outOf(`get ${name} -o name`)).toBe(`${name}\n`);
      expect((await run(`delete ${name}`)).code).toBe(0);
      expect(await outOf(`get ${name} -o name`)).toBe('');
    }
    expect(await outOf('get policy/a/b')).toMatch(
      /^Failed to get resources: Resource type 'policy\/a\/b' is not supported/,
    );
    expect((await run('get policy/a b')).code).toBe(1);
  });

  test('--watch shows what there is, then each change, until it is interrupted', async () => {
    await run('create -f -', `${profile('a', 'db')}---\n${policy('unasked')}`);
    const child = spawn(process.execPath, [session.program, 'get', 'profile', '-l', "role == 'db'", '-w'], {
      env: session.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async (): Promise<string> => String((await lines.next()).value);
    const ended = new Promise(resolve => child.on('close', resolve));
    expect(await next()).toBe('EVENT   NAME   ');
    expect(await next()).toBe('added   a      ');
    await run('apply -f -', profile('second', 'db'));
    expect(await next()).toBe('added   second   ');
    await run('apply -f -', profile('a', 'web'));
    expect(await next()).toBe('deleted   a        ');
    await run('delete profile second');
    expect(await next()).toBe('deleted   second   ');
    child.kill('SIGINT');
    expect(await ended).toBe(0);
  });

  test('--watch ends at the first change that nobody reads', async () => {
    await run('create -f -', policy('a'));
    const child = spawn(process.execPath, [session.program, 'get', 'policy', '-w', '-o', 'name'], {
      env: session.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise(resolve => child.on('close', resolve));
    await new Promise(resolve => child.stdout.once('data', resolve));
    child.stdout.destroy();
    await run('apply -f -', policy('b'));
    expect(await ended).toBe(0);
  });

  test('--watch refuses at once what it cannot show', async () => {
    expect(await run('get pol -w -o custom-columns=NAME,NAM')).toMatchObject({
      code: 1,
      out: 'Unknown heading NAM, valid values are: NAME, ORDER, SELECTOR\n',
    });
    expect(await run('get pol -w -o go-template=x')).toMatchObject({
      code: 1,
      out: 'output format go-template cannot be watched\n',
    });
  });
});

describe('validate', () => {
  test('checks files without a datastore', async () => {
    const nowhere = { CALICO_STATE_DIR: '/proc/no' };
    const validate = async (input: string): Promise<Ran> => await run('validate -f -', input, nowhere);
    expect(await validate(policy('a'))).toEqual({
      code: 0,
      out: 'Successfully validated 1 resource(s)\n',
      err: '',
    });
    expect(await validate(`${policy('a')}---\n${policy('a')}`)).toMatchObject({
      code: 1,
      out: 'Failed to execute command: Policy(name=a) is given more than once (standard input, document 2: expected each resource once; it is in standard input, document 1 too)\n',
    });
    expect(await validate(policy('a b'))).toMatchObject({
      code: 1,
      out: expect.stringMatching(
        /^Failed to execute command: error with field name = 'a b' \(standard input/,
      ),
    });
  });
});

describe('explain', () => {
  test('tells the fields of a kind, and what a field takes', async () => {
    expect(await outOf('explain pol')).toMatch(
      /^FIELD: {4}policy\nTYPE: {5}map\n.*\n\nFIELDS:\n {2}metadata /,
    );
    expect(await outOf('explain policy.spec.ingress.action')).toContain(
      'EXPECTED: allow, deny, log or pass\n',
    );
    expect(await outOf('explain policy.spec.ingress')).toMatch(/TYPE: {5}list of map\n[^]*\n {2}notICMP /);
    expect(JSON.parse(await outOf('explain policy -o json'))).toMatchObject({ type: 'object' });
  });

  test('names the nearest field or kind for one that does not exist', async () => {
    expect(await run('explain ipPool.spec.ipip.enabld')).toMatchObject({
      code: 1,
      out: "ipip has no field 'enabld' (did you mean ipPool.spec.ipip.enabled?); it has enabled, mode\n",
    });
    expect(await outOf('explain policy.ingres')).toBe(
      "policy has no field 'ingres' (did you mean policy.spec.ingress?); it has metadata, spec\n",
    );
    expect(await outOf('explain polici')).toBe(
      "Resource type 'polici' is not supported (did you mean 'policy'?)\n",
    );
  });
});

describe('completion', () => {
  const linesOf = (out: string): readonly string[] => out.split('\n').slice(0, -1);
  const complete = async (...words: readonly string[]): Promise<readonly string[]> =>
    linesOf(await outOf(['__complete', '--', ...words]));

  test('knows commands, options, kinds and values', async () => {
    expect(await complete('c')).toEqual(['create', 'config', 'completion']);
    expect(await complete('ipam', '')).toEqual(['release', 'show', 'check', 'configure']);
    expect(await complete('-l', 'debug', 'lab', 'up', '--n')).toContain('--name');
    expect(await complete('get', 'p')).toEqual(['policy', 'profile']);
    expect(await complete('history', 'c')).toEqual(['config']);
    expect(await complete('get', 'policy', '--o')).toEqual(['--output', '--orchestrator']);
    expect(await complete('get', 'policy', '-o', 'w')).toEqual(['wide']);
    expect(await complete('get', 'policy', '--output=y')).toEqual(['--output=yaml']);
    expect(await complete('get', 'policy', '--output', '=', 'y')).toEqual(['yaml']);
    expect(await complete('apply', '-f', '')).toEqual([':files']);
    expect(await complete('explain', 'policy.spec.ingress.source.n')).toContain(
      'policy.spec.ingress.source.net',
    );
    expect(await complete('config', 'set', 'log')).toEqual(['logLevel']);
    expect(await complete('config', 'set', 'loglevel', 'w')).toEqual(['warning']);
    expect(await complete('history', 'config', 'n')).toEqual(['nodeToNodeMesh']);
    expect(await complete('node', 'run', '--backend', '')).toEqual(['bird', 'gobgp', 'none']);
    expect(await complete('apply', '-o', '')).toEqual(['ps', 'name']);
    expect(await complete('-l', 'd')).toEqual(['debug']);
    expect(await complete('--v')).toEqual(['--version']);
    expect(await complete('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  });

  test('knows the names that are stored now, and nothing when the datastore does not answer', async () => {
    await run('create -f -', `${policy('web')}---\n${policy('worker')}---\n${policy('db')}`);
    expect(await complete('get', 'pol', 'w')).toEqual(['web', 'worker']);
    const [newest = ''] = await complete('rollback', '--to', '');
    expect(await outOf(`history --revision=${newest}`)).toContain(`Revision:  ${newest}\n`);
    const unreachable = { CALICO_STATE_DIR: '/dev/null/no' };
    expect(linesOf(await outOf('__complete -- get pol w', '', unreachable))).toEqual([]);
  });

  test('of bash offers what calicoctl says', async () => {
    await run('create -f -', policy('web'));
    const { out: script } = await run('completion bash');
    const shell = `${script}
calicoctl() { '${process.execPath}' '${session.program}' "$@"; }
COMP_WORDS=(calicoctl get policy w); COMP_CWORD=3; _calicoctl; echo "\${COMPREPLY[*]}"`;
    const { stdout } = await runProgram('bash', ['-c', shell], { env: session.env });
    expect(stdout).toBe('web\n');
  });

  test('of zsh offers what calicoctl says, sourced and from the directory of functions', async () => {
    await run('create -f -', policy('web'));
    const functions = join(session.directory, 'functions');
    const { out: script } = await run('completion zsh');
    write('functions/_calicoctl', script);
    // What the completion system of zsh would do: words go in, and what is added comes out.
    const shell = `
calicoctl() { '${process.execPath}' '${session.program}' "$@"; }
compdef() { registered=$1; }
compadd() { shift $((\${@[(i)--]})); print -rn -- "$* "; }
words=(calicoctl get policy w); CURRENT=4
`;
    const sourced = `${shell}source ${functions}/_calicoctl; $registered`;
    const loaded = `${shell}fpath=(${functions}); autoload _calicoctl; _calicoctl; _calicoctl`;
    expect((await runProgram('zsh', ['-f', '-c', sourced], { env: session.env })).stdout.trim()).toBe('web');
    expect(
      (await runProgram('zsh', ['-f', '-c', loaded], { env: session.env })).stdout.match(/web/g),
    ).toHaveLength(2);
  });

  test('of fish offers what calicoctl says', async () => {
    await run('create -f -', policy('web'));
    const { out: script } = await run('completion fish');
    const bin = join(session.directory, 'bin');
    write('bin/calicoctl', `#!/bin/sh\nexec '${process.execPath}' '${session.program}' "$@"\n`);
    chmodSync(join(bin, 'calicoctl'), 0o755);
    const search = { ...session.env, HOME: session.directory, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const offered = async (line: string): Promise<string> =>
      (await runProgram('fish', ['-c', `${script}\ncomplete -C '${line}'`], { env: search })).stdout;
    expect(await offered('calicoctl get policy w')).toBe('web\n');
    expect(await offered('calicoctl get policy -o ya')).toBe('yaml\n');
    expect(await offered(`calicoctl apply -f ${bin}/`)).toBe(`${bin}/calicoctl\n`);
  });
});
