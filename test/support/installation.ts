import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabPaths } from '../../src/lab/index.js';
import { bundleExecutables } from './bundle.js';

const root = new URL('../..', import.meta.url).pathname;

/** The product as it is installed, built from the sources as they are. */
export interface Installation {
  /** holds `bin/`, `dist/` and the labs */
  readonly directory: string;
  readonly paths: LabPaths;
  /** the program that makes and answers connections in the lab */
  readonly probe: string;
  remove(): void;
}

function script(path: string, program: string, argument = ''): void {
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${program}' ${argument} "$@"\n`);
  chmodSync(path, 0o755);
}

/** Builds into a directory beside node_modules, so that packages are found; call `remove` in afterAll. */
export async function builtInstallation(): Promise<Installation> {
  const directory = mkdtempSync(join(root, 'node_modules', '.installation-test-'));
  const dist = join(directory, 'dist');
  await bundleExecutables(['calico-node', 'calico-cni', 'calico-lab-probe'], dist);
  const bin = join(directory, 'bin');
  mkdirSync(join(bin, 'cni'), { recursive: true });
  script(join(bin, 'calico-node'), join(dist, 'calico-node.js'));
  for (const name of ['calico', 'calico-ipam'])
    script(join(bin, 'cni', name), join(dist, 'calico-cni.js'), name);
  return {
    directory,
    paths: { root: join(directory, 'labs'), bin },
    probe: join(dist, 'calico-lab-probe.js'),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
