import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { CalicoError, messageOf, runProgram } from '../../../base/index.js';
import type { ExitCode } from '../../command.js';
import { visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';

export interface ContainerRun {
  /** the program and its arguments */
  readonly command: readonly string[];
  /** the container stays attached, for whoever starts services */
  readonly attached: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
}

const CONTAINER = 'calico-node';
const STARTED = 'Calico node started successfully';
/** How long a start is followed. */
const PATIENCE_MS = 10_000;
/** An image may have to be fetched. */
const FETCH_MS = 15 * 60_000;

/** Starts the node as a container and follows its log until it runs (`calicoctl.md` 9.4). */
export async function runContainer({ command, attached, env, out }: ContainerRun): Promise<ExitCode> {
  // Inside a container somebody else has prepared the host.
  if ((env['CALICO_CTL_CONTAINER'] ?? '') === '' && !(await prepareHost(out))) return 1;
  const [program = '', ...args] = command;
  out.line('Removing old calico-node container (if running).');
  await runProgram(program, ['rm', '-f', CONTAINER]).catch(() => undefined);
  out.line('Running the following command to start calico-node:');
  out.line();
  out.line(visible(command.join(' ')));
  out.line();
  out.line('Image may take a short time to download if it is not available locally.');
  if (attached) return await attach(program, args);
  const { exitCode, stderr } = await runProgram(program, args, { timeoutMs: FETCH_MS });
  if (exitCode !== 0) {
    const words = stderr.trim();
    throw new CalicoError('unavailable', words === '' ? `exit status ${String(exitCode)}` : words);
  }
  out.line('Container started, checking progress logs.');
  await follow(program, out);
  return 0;
}

/** Modules and settings of the kernel that a container cannot change for itself. False: it cannot go on. */
async function prepareHost(out: Output): Promise<boolean> {
  const modules = ['-a', 'xt_set', 'ip6_tables'];
  out.line(`Running command to load modules: modprobe ${modules.join(' ')}`);
  await runProgram('modprobe', modules).catch(() => undefined);
  for (const [family, path] of [
    ['ipv4', '/proc/sys/net/ipv4/ip_forward'],
    ['ipv6', '/proc/sys/net/ipv6/conf/all/forwarding'],
  ] as const) {
    if (family === 'ipv6' && !existsSync('/proc/sys/net/ipv6')) continue;
    out.line(`Enabling ${family === 'ipv4' ? 'IPv4' : 'IPv6'} forwarding`);
    if (await isWritten(path, '1')) continue;
    out.line(`ERROR: Could not enable ${family} forwarding`);
    return false;
  }
  out.line('Increasing conntrack limit');
  if (!(await isWritten('/proc/sys/net/netfilter/nf_conntrack_max', '1000000'))) {
    out.line('WARNING: Could not set nf_contrack_max. This may have an impact at scale.');
  }
  return true;
}

async function isWritten(path: string, value: string): Promise<boolean> {
  return await writeFile(path, value).then(
    () => true,
    () => false,
  );
}

/** Gives the terminal to the program until it ends; its exit code is ours. */
async function attach(program: string, args: readonly string[]): Promise<ExitCode> {
  const child = spawn(program, args, { stdio: 'inherit' });
  return await new Promise((resolve, reject) => {
    child.once('error', error => {
      reject(new CalicoError('unavailable', messageOf(error), { cause: error }));
    });
    child.once('close', code => {
      resolve(code ?? 1);
    });
  });
}

/** Prints the container's log up to the line that says it runs; fails when that does not come. */
async function follow(program: string, out: Output): Promise<void> {
  const child = spawn(program, ['logs', '-f', CONTAINER], { stdio: ['ignore', 'pipe', 'ignore'] });
  const timer = setTimeout(() => child.kill(), PATIENCE_MS);
  child.once('error', () => undefined);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      out.line(visible(line));
      if (line.includes(STARTED)) return;
    }
  } finally {
    clearTimeout(timer);
    child.kill();
    // What it has started may keep the other end open.
    child.stdout.destroy();
  }
  const isThere = await runProgram(program, ['inspect', '-f', '{{.State.Running}}', CONTAINER]).catch(
    () => undefined,
  );
  throw new CalicoError(
    'unavailable',
    isThere?.stdout.trim() === 'true'
      ? 'error reading calico/node logs, check logs for details'
      : 'calico/node has terminated, check logs for details',
  );
}
