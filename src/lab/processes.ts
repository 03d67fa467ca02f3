import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { existingNamespaces, netnsPath } from './namespaces.js';
import { labDirectory } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabPlan } from './plan.js';

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter(name => /^[0-9]+$/.test(name))
    .map(Number);
}

/** The strings of a file of /proc that ends each with a NUL; none when the process has ended. */
function stringsOf(pid: number, file: 'cmdline' | 'environ'): readonly string[] {
  try {
    return readFileSync(`/proc/${String(pid)}/${file}`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

const DAEMONS = ['bird', 'gobgpd'];

/** Agents and BGP daemons of the lab whose namespace somebody has deleted: they live on without a name for it. */
function strayProcesses(paths: LabPaths, plan: LabPlan): readonly number[] {
  const hosts = `${labDirectory(paths, plan.name)}/hosts/`;
  return allPids().filter(pid => {
    const [program = '', ...args] = stringsOf(pid, 'cmdline');
    return DAEMONS.includes(basename(program))
      ? args.some(arg => arg.startsWith(hosts))
      : args.some(arg => arg.endsWith('calico-node.js')) &&
          stringsOf(pid, 'environ').some(text => text.startsWith(`CALICO_RUN_DIR=${hosts}`));
  });
}

/** All processes of a lab. */
export function processesOf(paths: LabPaths, plan: LabPlan): readonly number[] {
  const inside = processesIn(existingNamespaces(plan));
  return [...new Set([...inside, ...strayProcesses(paths, plan)])];
}

/** Pids of all processes that live in one of the namespaces: they are the lab's by construction. */
export function processesIn(namespaces: readonly string[]): readonly number[] {
  const inodes = new Set(namespaces.map(netns => `net:[${String(statSync(netnsPath(netns)).ino)}]`));
  return allPids().filter(pid => {
    try {
      return inodes.has(readlinkSync(`/proc/${String(pid)}/ns/net`));
    } catch {
      return false; // ended meanwhile
    }
  });
}

/** The first process in the namespace whose command line has the word; undefined when there is none. */
export function processIn(netns: string, word: string): number | undefined {
  return processesIn([netns]).find(pid => stringsOf(pid, 'cmdline').join(' ').includes(word));
}
