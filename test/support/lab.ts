import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked, runProgram } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';

const root = new URL('../..', import.meta.url).pathname;

/** A lab of the built product, driven by its executables; `scripts/test` builds before it tests. */
export interface TestLab {
  readonly name: string;
  /** the path of calicoctl, and what tells it where the lab is */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** `calicoctl` on the lab's datastore; whatever its exit code */
  calicoctl(...args: readonly string[]): Promise<ProgramResult>;
  /** `calicoctl lab <verb> --name=… …`, whatever its exit code */
  lab(verb: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** a file of the lab's own directory */
  read(path: string): Promise<string>;
  /** network namespaces of this lab that exist */
  namespaces(): Promise<readonly string[]>;
  /** pid of the host's agent; undefined when none runs */
  agentPid(host: string): Promise<number | undefined>;
  /** takes the lab down and removes its files; call it in afterAll */
  remove(): Promise<void>;
}

/** Prepares a lab whose name and files are this process's own; nothing is up before `lab('up', …)`. */
export async function createTestLab(kind: string): Promise<TestLab> {
  const name = `t${String(process.pid)}-${kind}`;
  const directory = await mkdtemp(join(tmpdir(), 'calico-lab-'));
  const program = `${root}bin/calicoctl`;
  const env = {
    CALICO_LAB_DIR: directory,
    DATASTORE_TYPE: 'sqlite',
    CALICO_STORE_DIR: join(directory, name, 'store'),
  };
  const calicoctl = async (...args: readonly string[]): Promise<ProgramResult> =>
    await runProgram(program, args, { env, timeoutMs: 120_000 });
  const lab: TestLab = {
    name,
    program,
    env,
    calicoctl,
    lab: async (verb, ...args) => await calicoctl('lab', verb, `--name=${name}`, ...args),
    read: async path => await readFile(join(directory, name, path), 'utf8'),
    namespaces: async () =>
      (await runChecked('ip', ['netns', 'list']))
        .split('\n')
        .map(line => line.split(' ')[0] ?? '')
        .filter(netns => netns.startsWith(`${name}-`)),
    agentPid: async host => {
      const pids = (await runChecked('ip', ['netns', 'pids', `${name}-${host}`]))
        .split('\n')
        .filter(pid => pid !== '');
      for (const pid of pids) {
        const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        if (command.includes('calico-node')) return Number(pid);
      }
      return undefined;
    },
    remove: async () => {
      await lab.lab('down');
      await rm(directory, { recursive: true, force: true });
    },
  };
  return lab;
}
