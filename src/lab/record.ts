import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { CalicoError } from '../base/index.js';
import { labDirectory } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabPlan } from './plan.js';

function recordPath(paths: LabPaths, name: string): string {
  return `${labDirectory(paths, name)}/lab.json`;
}

/** The plan of a lab that was brought up (or whose bringing up was cut short); undefined when there is none. */
export async function readRecord(paths: LabPaths, name: string): Promise<LabPlan | undefined> {
  let text: string;
  try {
    text = await readFile(recordPath(paths, name), 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    // Written by writeRecord below, in a directory that only root can write.
    return JSON.parse(text) as LabPlan;
  } catch (error) {
    throw new CalicoError('corrupt', `${recordPath(paths, name)} is not JSON`, { cause: error });
  }
}

/** That a lab is not up, and which labs are. */
export async function notUp(paths: LabPaths, name: string): Promise<string> {
  const others: readonly string[] = await readdir(paths.root).catch(() => []);
  const hint =
    others.length === 0 ? "'calicoctl lab up' makes one" : `there is ${others.toSorted().join(', ')}`;
  return `no lab '${name}' is up: ${hint}`;
}

/** As readRecord, but a missing lab is an error that says which there are, or how to make one. */
export async function requireRecord(paths: LabPaths, name: string): Promise<LabPlan> {
  const plan = await readRecord(paths, name);
  if (plan === undefined) throw new CalicoError('not-found', await notUp(paths, name));
  return plan;
}

/** Written before anything is built, so that a lab that fails half-way can be taken down. */
export async function writeRecord(paths: LabPaths, plan: LabPlan): Promise<void> {
  await mkdir(labDirectory(paths, plan.name), { recursive: true, mode: 0o700 });
  const path = recordPath(paths, plan.name);
  await writeFile(`${path}.tmp`, `${JSON.stringify(plan, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

function builtPath(paths: LabPaths, name: string): string {
  return `${labDirectory(paths, name)}/built`;
}

/** Says that everything of the lab but its processes is there. */
export async function markBuilt(paths: LabPaths, name: string): Promise<void> {
  await writeFile(builtPath(paths, name), '', { mode: 0o600 });
}

export function isBuilt(paths: LabPaths, name: string): boolean {
  return existsSync(builtPath(paths, name));
}

export async function removeLabDirectory(paths: LabPaths, name: string): Promise<void> {
  await rm(labDirectory(paths, name), { recursive: true, force: true });
}
