import { hostname, userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { startEtcd } from '../contract/support/etcd-server.js';
import { calicoctlSession } from './session.js';

const session = calicoctlSession();
const { run, outOf } = session;

const policy = (name: string, order: number): string =>
  `apiVersion: v1\nkind: policy\nmetadata: {name: ${name}}\nspec: {order: ${String(order)}, selector: all()}\n`;
const pool = 'apiVersion: v1\nkind: ipPool\nmetadata: {cidr: 10.9.0.0/24}\n';

/** The rows of `calicoctl history`, cell by cell, without the time. */
async function rows(args = ''): Promise<readonly (readonly string[])[]> {
  const lines = (await outOf(`history${args}`)).split('\n').slice(1, -2);
  return lines
    .map(line => line.trim().split(/ {3,}/))
    .map(([revision = '', , ...rest]) => [revision, ...rest]);
}

/** Three revisions: two policies, one of them changed, a setting; their numbers. */
async function threeRevisions(): Promise<readonly string[]> {
  await run('create -f -', `${policy('a', 1)}---\n${policy('b', 1)}`);
  await run(['apply', '-f', '-', '-o', 'name'], policy('a', 2));
  await run('config set logLevel debug');
  return (await rows()).map(([revision = '']) => revision).toReversed();
}

describe('history', () => {
  test('tells each change with user, command and what it did, the newest first', async () => {
    const user = userInfo().username;
    await threeRevisions();
    expect((await rows()).map(([, ...rest]) => rest)).toEqual([
      [
        user,
        'calicoctl config set logLevel debug',
        'config/felix/LogSeverityScreen created, config/bgp/loglevel created, config/felix/loglevel created',
      ],
      [user, 'calicoctl apply -f - -o name', 'policy/a updated'],
      [user, 'calicoctl create -f -', 'policy/a created, policy/b created'],
    ]);
    const [newest] = JSON.parse(await outOf('history --limit 1 -o json')) as readonly unknown[];
    expect(newest).toMatchObject({ user, host: hostname(), time: expect.stringMatching(/^20.*Z$/) });
    const limited = await outOf('history --limit=2');
    expect(limited.trimEnd().split('\n').at(-1)).toBe('There are older revisions: --limit=0 shows all.');
  });

  test('tells of one kind, one resource, one setting', async () => {
    await threeRevisions();
    const changes = async (args: string): Promise<readonly unknown[]> =>
      (await rows(args)).map(row => row.at(-1));
    expect(await changes(' policy')).toEqual(['policy/a updated', 'policy/a created, policy/b created']);
    expect(await changes(' pol b')).toEqual(['policy/b created']);
    expect(await changes(' config loglevel')).toEqual([
      'config/bgp/loglevel created, config/felix/loglevel created',
    ]);
    expect(await changes(' profile')).toEqual([]);
    await run('create -f -', 'apiVersion: v1\nkind: node\nmetadata: {name: n}\n');
    await run('config set logLevel info --node=n');
    expect(await changes(' --node=n')).toEqual([
      'config/felix/n/LogSeverityScreen created, config/bgp/n/loglevel created',
      'node/n created',
    ]);
    expect((await run('history polizy')).code).toBe(1);
  });

  test('has each of many processes that write at once, and between two of them what is theirs', async () => {
    const writers = Array.from({ length: 8 }, (_, n) => n);
    await Promise.all(
      writers.map(
        async n => await run('apply -f -', `${policy(`own${String(n)}`, n)}---\n${policy('shared', n)}`),
      ),
    );
    const found = await rows();
    expect(
      found.map(([, , , changes = '']) => /policy\/(own\d)/.exec(changes)?.[1] ?? '').toSorted(),
    ).toEqual(writers.map(n => `own${String(n)}`));
    const [[newest = ''] = [], [before = ''] = []] = found;
    const [, own = ''] = /policy\/own(\d) created/.exec(found[0]?.[3] ?? '') ?? [];
    const difference = await outOf(`diff --from=${before} --to=${newest}`);
    expect(difference).toContain(`+++ ${newest}/policy/own${own}\n`);
    expect(difference).toContain(`+  order: ${own}\n`);
    expect(difference.match(/^\+\+\+/gm)).toHaveLength(2);
  });

  test('shows what one revision changed', async () => {
    const [, second = ''] = await threeRevisions();
    const out = await outOf(`history --revision=${second}`);
    expect(out.replace(/Time: .*\n/, '')).toBe(
      [
        `Revision:  ${second}`,
        `User:      ${userInfo().username} on ${hostname()}`,
        'Command:   calicoctl apply -f - -o name',
        'Changes:   policy/a updated',
        '',
        `--- ${String(Number(second) - 1)}/policy/a`,
        `+++ ${second}/policy/a`,
        '@@ -3,5 +3,5 @@',
        ' metadata:',
        '   name: a',
        ' spec:',
        '-  order: 1',
        '+  order: 2',
        '   selector: all()',
        '',
      ].join('\n'),
    );
    const data = JSON.parse(await outOf(`history --revision=${second} -o json`)) as unknown;
    expect(data).toMatchObject({
      differences: [{ name: 'policy/a', before: { spec: { order: 1 } }, after: { spec: { order: 2 } } }],
    });
    expect(await outOf('history --revision=999')).toMatch(
      /^Failed to read the history: there is no revision 999: the newest is \d+\n$/,
    );
  });

  test('hides passwords, and prints control characters escaped', async () => {
    await run('config set --raw=bgp peer_password/10.0.0.1 hunter2');
    await run('config set --raw=bgp peer_password/10.0.0.1 hunter3');
    await run(['apply', '-f', 'no\u001b[2Jsuch', '-f', '-'], policy('a', 1));
    await run(['create', '-f', '-', '--config=\u001b[31m'], policy('b', 1));
    const [[newest = ''] = []] = await rows(' config');
    const all =
      (await outOf('history')) +
      (await outOf(`history --revision=${newest}`)) +
      (await outOf('history -o json'));
    expect(all).not.toContain('hunter');
    expect(all).toContain('(hidden, another)');
    expect(all).not.toContain('\u001b');
    expect(await outOf('history policy')).toContain(String.raw`'--config=\u001b[31m'`);
  });
});

describe('diff of revisions', () => {
  test('ends with 0 when nothing differs, 1 with the difference, 2 when it cannot compare', async () => {
    const [first = '', second = ''] = await threeRevisions();
    expect(await run(`diff --from=${first} --to=${first}`)).toEqual({ code: 0, out: '', err: '' });
    const forth = await run(`diff --from=${first} --to=${second}`);
    expect(forth.code).toBe(1);
    expect(forth.out).toContain(`--- ${first}/policy/a\n+++ ${second}/policy/a\n`);
    expect(forth.out).toContain('-  order: 1\n+  order: 2\n');
    expect((await run(`diff --from=${second} --to=${first}`)).out).toContain('-  order: 2\n+  order: 1\n');
    const now = await run(`diff --from=${second}`);
    expect(now.out).toContain('--- /dev/null\n+++ now/config/felix/LogSeverityScreen\n');
    expect(await run('diff --from=x')).toMatchObject({
      code: 2,
      out: expect.stringContaining("--from='x': expected"),
    });
    expect((await run(`diff --from=${first} --to=12345`)).code).toBe(2);
    expect((await run(`diff --to=${first}`)).code).toBe(2);
  });
});

describe('rollback', () => {
  test('says what it would do, does it, and can be rolled back', async () => {
    const [first = ''] = await threeRevisions();
    await run('apply -f -', policy('c', 3));
    await run('delete policy b');
    const dry = await outOf(`rollback --to=${first} --dry-run`);
    expect(dry).toContain('policy/a updated (dry run)\n');
    expect(dry).toContain('policy/b created (dry run)\n');
    expect(dry).toContain('policy/c deleted (dry run)\n');
    expect(dry.trimEnd().split('\n')).toHaveLength(7);
    expect(dry).toMatch(/\nNothing was written: .*4 deleted/);
    expect(await outOf('get pol -o name')).toBe('policy/a\npolicy/c\n');
    const before = await outOf('get pol -o yaml');
    expect(await outOf(`rollback --to=${first}`)).toMatch(
      /^Successfully rolled back to revision \d+: .*4 deleted.* \(revision \d+\)\n$/,
    );
    expect(await outOf('get pol -o custom-columns=NAME,ORDER')).toBe(
      'NAME   ORDER   \na      1       \nb      1       \n\n',
    );
    const [[revision = '', , command] = []] = await rows();
    expect(command).toBe(`calicoctl rollback --to=${first}`);
    await run(`rollback --to=${String(Number(revision) - 1)}`);
    expect(await outOf('get pol -o yaml')).toBe(before);
    expect(await outOf(`rollback --to=${String(Number((await rows())[0]?.[0]))}`)).toMatch(
      /^Nothing to do: the configuration is as it was/,
    );
  });

  test('leaves alone what runs, in one line, and gives back what a pool has when it goes', async () => {
    const [first = ''] = await threeRevisions();
    await run('create -f -', `${pool}---\napiVersion: v1\nkind: node\nmetadata: {name: n}\n`);
    const out = await outOf(`rollback --to=${first}`);
    expect(out).toMatch(
      /\nLeft alone: 1 node \(they tell what runs now; --include-live brings them back as well\)\n$/,
    );
    expect(await outOf('get node -o name')).toBe('node/n\n');
    expect(await outOf('get ipPool -o name')).toBe('');
    expect(await outOf(`rollback --to=${first} --include-live`)).toMatch(/1 deleted/);
    expect(await outOf('get node -o name')).toBe('');
  });

  test.each(['--to=x', '--to=', '--to=1 2'])('refuses %s', async option => {
    expect((await run(['rollback', option])).code).toBe(1);
  });

  test('on etcd is refused before it starts where it is too large, and says what would do it', async () => {
    const etcd = await startEtcd();
    try {
      const env = { ETCD_ENDPOINTS: etcd.endpoint };
      await run('create -f -', policy('start', 1), env);
      const [, first = ''] = /^(\d+) /m.exec(await outOf('history', '', env)) ?? [];
      const many = Array.from({ length: 300 }, (_, n) => policy(`p${String(n)}`, n)).join('---\n');
      expect(await outOf('apply --no-atomic -f -', many, env)).toBe(
        "Successfully applied 300 'policy' resource(s)\n",
      );
      const refused = await run(`rollback --to=${first}`, '', env);
      expect(refused).toMatchObject({
        code: 1,
        out: 'Failed to roll back: datastore: a change of 300 keys and its entry in the history; etcd takes 128 in one transaction; nothing was written; write less at a time (--no-atomic does so)\n',
      });
      expect(await outOf(`rollback --to=${first} --no-atomic`, '', env)).toMatch(/300 deleted/);
      expect(await outOf('get pol -o name', '', env)).toBe('policy/start\n');
    } finally {
      await etcd.dispose();
    }
  });
});
