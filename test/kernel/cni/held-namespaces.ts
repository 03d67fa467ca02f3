import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../../support/netns.js';

/** A mount namespace inside a network namespace: what is mounted in it goes with its last process. */
export interface HeldNamespaces {
  /** of a process that lives in them */
  readonly pid: number;
  /** arguments of nsenter, before the program that it shall run in them */
  readonly inside: readonly string[];
  /** Starts a program that stays. */
  start(program: string, args: readonly string[]): void;
  /** Ends every process in them: all were started by the test. */
  end(): Promise<void>;
}

export async function holdNamespaces(netns: string): Promise<HeldNamespaces> {
  const args = [`--net=${netns}`, 'unshare', '-m', '--propagation', 'private', 'sleep', '1000000'];
  const holder = spawn('nsenter', args, { stdio: 'ignore' });
  const pid = holder.pid ?? 0;
  await eventually('the namespaces are there', () => contentOf(`/proc/${String(pid)}/comm`) === 'sleep\n');
  const own = mountsOf(String(pid));
  // With its root, as a test may run in a changed one.
  const inside = ['-t', String(pid), '-n', '-m', '-r', '--'];
  return {
    pid,
    inside,
    start: (program, rest) => {
      spawn('nsenter', [...inside, program, ...rest], { stdio: 'ignore' });
    },
    end: async () => {
      if (own === undefined || own === mountsOf('self'))
        throw new Error('these are not namespaces of a test');
      await eventually('every process of the host is gone', () => {
        const left = readdirSync('/proc').filter(name => /^\d+$/.test(name) && mountsOf(name) === own);
        for (const each of left) end(Number(each));
        return left.length === 0;
      });
    },
  };
}

/** Ends all processes in a cgroup, in every hierarchy of this machine, and removes it. */
export async function endCgroup(cgroup: string): Promise<void> {
  const hierarchies = ['/sys/fs/cgroup', ...foldersIn('/sys/fs/cgroup')];
  const folders = (): readonly string[] => hierarchies.flatMap(each => treeOf(join(each, cgroup)));
  await eventually('the cgroup is gone', () => {
    for (const folder of folders()) {
      const pids = contentOf(join(folder, 'cgroup.procs')).split('\n').filter(Boolean);
      for (const pid of pids) end(Number(pid));
      // Refused while there are processes in it.
      attempt(() => {
        rmdirSync(folder);
      });
    }
    return folders().length === 0;
  });
}

/** A folder with all below it, the deepest first; empty if it is not there. */
function treeOf(folder: string): readonly string[] {
  const inside = attempt(() => foldersIn(folder));
  return inside === undefined ? [] : [...inside.flatMap(treeOf), folder];
}

function foldersIn(folder: string): readonly string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries.filter(entry => entry.isDirectory()).map(entry => join(folder, entry.name));
}

function mountsOf(pid: string): string | undefined {
  return attempt(() => readlinkSync(`/proc/${pid}/ns/mnt`));
}

function contentOf(path: string): string {
  return attempt(() => readFileSync(path, 'utf8')) ?? '';
}

function end(pid: number): void {
  attempt(() => process.kill(pid, 'SIGKILL'));
}

/** Processes and cgroups come and go while one looks at them. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
