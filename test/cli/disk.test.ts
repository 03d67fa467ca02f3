import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import { startEtcd } from '../contract/support/etcd-server.js';
import { builtCalicoctl } from './program.js';
import type { Calicoctl } from './program.js';

let calicoctl: Calicoctl;
const file = (name: string): string => join(calicoctl.directory, name);

const policies = (count: number, order: number): string =>
  Array.from({ length: count }, (_, n) => {
    const spec = `{order: ${String(order)}, selector: "role == 'r${String(n)}'"}`;
    return `apiVersion: v1\nkind: policy\nmetadata: {name: p${String(n)}}\nspec: ${spec}\n`;
  }).join('---\n');

beforeAll(async () => {
  calicoctl = await builtCalicoctl();
  writeFileSync(file('first.yaml'), policies(20, 1));
  writeFileSync(file('second.yaml'), policies(20, 2));
  writeFileSync(file('many.yaml'), policies(9000, 3));
  mkdirSync(file('small'));
});
afterAll(() => calicoctl.remove());

/** Runs lines of shell on a disk of 1 MB that nobody else sees; `c` is calicoctl, and says how it ended. */
async function onSmallDisk(lines: string): Promise<readonly string[]> {
  const script = `
    mount -t tmpfs -o size=1m none small && export CALICO_STATE_DIR=$PWD/small/state
    c() { "$NODE" "$PROGRAM" "$@"; echo "exit $?"; }
    whole() { "$NODE" -e '
      const { DatabaseSync } = require("node:sqlite");
      const store = new DatabaseSync("small/state/store/store.db");
      console.log(Object.values(store.prepare("PRAGMA integrity_check").get())[0]);'; }
    ${lines}`;
  const { stdout, stderr } = await runProgram(
    'unshare',
    ['--mount', '--wd', calicoctl.directory, 'sh', '-c', script],
    { env: { NODE: process.execPath, PROGRAM: calicoctl.program } },
  );
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

describe.skipIf(process.getuid?.() !== 0)('a store that cannot be written', () => {
  const database = String.raw`datastore \S+/small/state/store/store\.db: `;
  const refused = (prefix: string, why: string): readonly unknown[] => [
    expect.stringMatching(new RegExp(`^${prefix}${database}${why}.*CALICO_STATE_DIR`)),
    'exit 1',
  ];
  const cannotOpen = 'Failed to create Calico API client: ';

  test('because its disk is full is told in one line, and is whole', async () => {
    const full = 'the disk is full; nothing was written; ';
    expect(
      await onSmallDisk(`
        c apply -f first.yaml
        c apply -f many.yaml
        cat /dev/zero > small/filler 2> /dev/null
        c apply -f second.yaml
        c rollback --to=1
        c config set logLevel debug
        rm small/filler
        whole
        c apply -f second.yaml
        c rollback --to=2
        c diff -f first.yaml
        whole`),
    ).toEqual([
      "Successfully applied 20 'policy' resource(s)",
      'exit 0',
      ...refused("Failed to apply any 'policy' resources: ", full),
      ...refused(cannotOpen, full),
      ...refused(cannotOpen, full),
      ...refused('', full),
      'ok',
      "Successfully applied 20 'policy' resource(s)",
      'exit 0',
      expect.stringMatching(/^Successfully rolled back to revision 2: 20 updated/),
      'exit 0',
      'exit 0',
      'ok',
    ]);
  });

  test('because its file system is read-only is told in one line, and goes on when it is not', async () => {
    const readOnly = 'the file or its file system is read-only; ';
    expect(
      await onSmallDisk(`
        c apply -f first.yaml
        mount -o remount,ro small
        c apply -f second.yaml
        c rollback --to=1
        c history
        mount -o remount,rw small
        c apply -f second.yaml`),
    ).toEqual([
      "Successfully applied 20 'policy' resource(s)",
      'exit 0',
      ...refused(cannotOpen, readOnly),
      ...refused(cannotOpen, readOnly),
      ...refused(cannotOpen, readOnly),
      "Successfully applied 20 'policy' resource(s)",
      'exit 0',
    ]);
  });
});

test('an etcd whose quota is used up is told in one line, and can be read', async () => {
  const etcd = await startEtcd({ args: ['--quota-backend-bytes=500000'] });
  try {
    const env = { ETCD_ENDPOINTS: etcd.endpoint };
    const first = await calicoctl.run(['apply', '-f', file('first.yaml')], { env });
    expect(first.code).toBe(0);
    const many = await calicoctl.run(['apply', '--no-atomic', '-f', file('many.yaml')], { env });
    expect(many.code).toBe(1);
    const [done, why, ...more] = many.out.trimEnd().split('\n');
    expect(done).toMatch(/^Partial success: applied the first \d+ out of 9000 'policy' resources:$/);
    expect(why).toMatch(
      /^Hit error: datastore: .*etcd's disk quota is used up; nothing was written; compact/,
    );
    expect(more).toEqual([]);
    const rollback = await calicoctl.run(['rollback', '--to=2', '--no-atomic'], { env });
    expect(rollback).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Failed to roll back: [^\n]*quota is used up[^\n]*\n$/),
    });
    const names = (await calicoctl.run(['get', 'policy', '-o', 'name'], { env })).out.trimEnd().split('\n');
    expect(names).toHaveLength(Number(/first (\d+)/.exec(done ?? '')?.[1]));
  } finally {
    await etcd.dispose();
  }
});
