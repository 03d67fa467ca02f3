import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runChecked, runProgram } from '../../src/base/index.js';
import { eventually } from '../support/netns.js';

const root = new URL('../..', import.meta.url).pathname;
const lab = `t${String(process.pid)}-demo`;

describe('the demo', () => {
  let directory: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'calico-demo-'));
  });

  afterAll(async () => {
    const env = { CALICO_LAB_DIR: directory };
    await runProgram(`${root}bin/calicoctl`, ['lab', 'down', `--name=${lab}`], { env });
    await rm(directory, { recursive: true });
  });

  const namespaces = async (): Promise<readonly string[]> =>
    (await runChecked('ip', ['netns', 'list']))
      .split('\n')
      .map(line => line.split(' ')[0] ?? '')
      .filter(netns => netns.startsWith(`${lab}-`));

  interface Shown {
    readonly exitCode: number | null;
    readonly said: string;
  }

  /** Runs it until it has printed `mark`, does something to it, and resolves with its end and all that it said. */
  async function run(mark: string, then: (pid: number) => Promise<void> | void): Promise<Shown> {
    // A process group of its own, as a terminal makes one: Ctrl-C reaches all of it.
    const demo = spawn(`${root}scripts/demo`, [], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Other tests use the same executables at the same time.
      env: {
        ...process.env,
        DEMO_BUILT: 'yes',
        DEMO_LAB: lab,
        CALICO_LAB_DIR: directory,
        TMPDIR: directory,
      },
    });
    let said = '';
    for (const stream of [demo.stdout, demo.stderr]) {
      stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
    }
    const ended = once(demo, 'close');
    await eventually(mark, () => said.includes(mark) || demo.exitCode !== null, 60_000);
    await then(demo.pid ?? 0);
    await ended;
    return { exitCode: demo.exitCode, said };
  }

  async function expectNothingLeft(): Promise<void> {
    expect(await namespaces()).toEqual([]);
    expect(await readdir(directory)).toEqual([]);
    // The environment tells an agent of this lab from others.
    const processes = await runChecked('ps', ['axeww', '-o', 'args']);
    const own = `CALICO_RUN_DIR=${directory}`;
    expect(
      processes.split('\n').filter(line => line.includes(own) || line.includes(`${directory}/`)),
    ).toEqual([]);
  }

  test('shows everything, and leaves nothing behind', async () => {
    const { exitCode, said } = await run('Three hosts', () => undefined);
    expect(said).toContain('What to try next');
    expect(exitCode).toBe(0);
    await expectNothingLeft();
  });

  test('leaves nothing behind when it is interrupted while the lab comes up', async () => {
    const { exitCode, said } = await run('each a network namespace', pid => {
      process.kill(-pid, 'SIGINT');
    });
    expect(said).toContain('the demo ended early');
    expect(exitCode).not.toBe(0);
    await expectNothingLeft();
  });

  test('leaves nothing behind when something of it fails in the middle', async () => {
    const { exitCode, said } = await run('LINK   AGENT', async () => {
      // Without its namespace nothing can be asked on host1 any more.
      await runChecked('ip', ['netns', 'delete', `${lab}-host1`]);
    });
    expect(said).toContain('the demo ended early');
    expect(exitCode).not.toBe(0);
    await expectNothingLeft();
  });
});
