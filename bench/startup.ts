// How long short commands take to start, against the bare runtime: `node -e 0`. All in turn, so that whatever else
// the machine does meets all of them; of each the median.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['CALICO_ROOT'] ?? '.';
const rounds = Number(process.env['ROUNDS'] ?? 60);
const state = mkdtempSync(join(tmpdir(), 'calico-bench-'));
const env = { ...process.env, CALICO_STATE_DIR: state };
const calicoctl = join(root, 'bin/calicoctl');

interface Program {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** the most that it may take, as a multiple of the bare runtime */
  readonly limit?: number;
}

const programs: readonly Program[] = [
  { name: 'node -e 0', command: [process.execPath, '-e', '0'] },
  { name: 'calicoctl version', command: [calicoctl, 'version'], limit: 1.3 },
  { name: 'calicoctl get policy one (sqlite)', command: [calicoctl, 'get', 'policy', 'one'], limit: 1.8 },
];

function milliseconds([program, ...args]: Program['command'], input?: string): number {
  const start = process.hrtime.bigint();
  const ran = spawnSync(program, args, { env, ...(input === undefined ? {} : { input }) });
  const end = process.hrtime.bigint();
  if (ran.status !== 0)
    throw new Error(`${program} ${args.join(' ')}: ${ran.stdout.toString()}${ran.stderr.toString()}`);
  return Number(end - start) / 1e6;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

try {
  milliseconds([calicoctl, 'create', '-f', '-'], 'apiVersion: v1\nkind: policy\nmetadata: {name: one}\n');
  const times = new Map(programs.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < rounds; round++)
    for (const { name, command } of programs) times.get(name)?.push(milliseconds(command));
  const bare = median(times.get('node -e 0') ?? []);
  for (const { name, limit } of programs) {
    const time = median(times.get(name) ?? []);
    const ratio = time / bare;
    const verdict =
      limit === undefined ? '' : ` (limit ${limit.toFixed(1)}${ratio > limit ? ', MISSED' : ''})`;
    console.log(`${name.padEnd(36)}${time.toFixed(1).padStart(8)} ms  ×${ratio.toFixed(2)}${verdict}`);
  }
} finally {
  rmSync(state, { recursive: true, force: true });
}
