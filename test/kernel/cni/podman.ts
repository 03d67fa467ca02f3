import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProgramResult } from '../../../src/base/index.js';
import type { RuntimeHost } from './runtime-host.js';

export interface Podman {
  /** A call of podman, whatever its exit code. */
  call(...args: readonly string[]): Promise<ProgramResult>;
  /** Starts a container in the background with these options of `podman run`. */
  run(name: string, ...options: readonly string[]): Promise<ProgramResult>;
  exec(name: string, ...command: readonly string[]): Promise<ProgramResult>;
}

/** Configures podman for CNI, with runc and without what needs systemd, and loads the image. */
export async function preparePodman(host: RuntimeHost): Promise<Podman> {
  const { directory, cgroup } = host;
  const of = (name: string): string => JSON.stringify(join(directory, name));
  for (const folder of ['graph', 'graph-run', 'libpod']) mkdirSync(join(directory, folder));
  writeFileSync(
    join(directory, 'containers.conf'),
    [
      '[network]',
      'network_backend = "cni"',
      `cni_plugin_dirs = [${of('plugins')}]`,
      `network_config_dir = ${of('networks')}`,
      '[engine]',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "none"',
      'runtime = "runc"',
      `tmp_dir = ${of('libpod')}`,
      '[containers]',
      // What a machine without CAP_SYS_RESOURCE still allows.
      'default_ulimits = ["nofile=1024:4096", "nproc=4096:8192"]',
      'log_driver = "none"',
      '',
    ].join('\n'),
  );
  writeFileSync(
    join(directory, 'storage.conf'),
    `[storage]\ndriver = "vfs"\ngraphroot = ${of('graph')}\nrunroot = ${of('graph-run')}\n`,
  );
  const settings = [
    `CONTAINERS_CONF=${join(directory, 'containers.conf')}`,
    `CONTAINERS_STORAGE_CONF=${join(directory, 'storage.conf')}`,
  ];
  const call: Podman['call'] = async (...args) => host.run('env', ...settings, 'podman', ...args);
  const loaded = await call('load', '-q', '-i', host.image);
  if (loaded.exitCode !== 0) throw new Error(loaded.stderr);
  return {
    call,
    run: async (name, ...options) =>
      call('run', '-d', '--cgroup-parent', cgroup, '--name', name, ...options, 'localhost/box:1'),
    exec: async (name, ...command) => call('exec', name, ...command),
  };
}
