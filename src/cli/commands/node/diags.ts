import { chmod, cp, mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isCalicoError, messageOf, runProgram } from '../../../base/index.js';
import { defineCommand, text } from '../../command.js';
import { nodeDiagsHelp } from '../../help/node.js';
import { visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { askAgent, runDirOf } from './agent-answer.js';
import { mayManageNode } from './require-root.js';

interface Step {
  readonly info?: string;
  readonly command: readonly [string, ...(readonly string[])];
  /** name in the bundle */
  readonly file: string;
}

/** `calicoctl.md` 11, and what a data plane of nftables adds. None of them shows a secret. */
const steps: readonly Step[] = [
  { command: ['date'], file: 'date' },
  { command: ['hostname'], file: 'hostname' },
  { info: 'Dumping netstat', command: ['netstat', '--all', '--numeric'], file: 'netstat' },
  { info: 'Dumping routes (IPv4)', command: ['ip', '-4', 'route'], file: 'ipv4_route' },
  { info: 'Dumping routes (IPv6)', command: ['ip', '-6', 'route'], file: 'ipv6_route' },
  { info: 'Dumping interface info (IPv4)', command: ['ip', '-4', 'addr'], file: 'ipv4_addr' },
  { info: 'Dumping interface info (IPv6)', command: ['ip', '-6', 'addr'], file: 'ipv6_addr' },
  { info: 'Dumping iptables (IPv4)', command: ['iptables-save'], file: 'ipv4_tables' },
  { info: 'Dumping iptables (IPv6)', command: ['ip6tables-save'], file: 'ipv6_tables' },
  { info: 'Dumping ipsets', command: ['ipset', 'list'], file: 'ipsets' },
  {
    info: 'Dumping ipsets (container)',
    // An image that is not there is not fetched: diagnostics change nothing.
    command: [
      'docker',
      'run',
      '--rm',
      '--pull=never',
      '--privileged',
      '--net=host',
      'calico/node',
      'ipset',
      'list',
    ],
    file: 'ipset_container',
  },
  { info: 'Dumping nftables', command: ['nft', 'list', 'ruleset'], file: 'nftables' },
  { info: 'Dumping links', command: ['ip', '-d', '-s', 'link'], file: 'links' },
  { info: 'Dumping neighbours', command: ['ip', 'neigh'], file: 'neighbours' },
  { info: 'Dumping forwarding entries', command: ['bridge', 'fdb'], file: 'forwarding' },
  { info: 'Dumping routing rules', command: ['ip', 'rule'], file: 'rules' },
  { info: 'Dumping sockets', command: ['ss', '-anp'], file: 'sockets' },
  {
    info: 'Copying journal for calico-node.service',
    command: ['journalctl', '-u', 'calico-node.service', '--no-pager'],
    file: 'journalctl_calico_node',
  },
];

/** What our BIRD knows; `-r` lets the program read only. */
function birdSteps(runDir: string): readonly Step[] {
  const ask = (...words: readonly string[]) =>
    ['birdc', '-r', '-s', join(runDir, 'bird.ctl'), 'show', ...words] as const;
  return [
    { info: 'Dumping BGP sessions', command: ask('protocols', 'all'), file: 'bgp_sessions' },
    { info: 'Dumping BGP routes', command: ask('route', 'all'), file: 'bgp_routes' },
  ];
}

/** The configuration of our BIRD, where there is one, without the passwords of its sessions. */
async function copyBirdConfig(runDir: string, directory: string): Promise<void> {
  const config = await readFile(join(runDir, 'bird.conf'), 'utf8').catch(() => undefined);
  if (config === undefined) return;
  const masked = config.replaceAll(/(\bpassword )"[^"\n]*"/g, '$1"…"');
  await writeFile(join(directory, 'bird.conf'), masked, { mode: 0o600 });
}

/** Runs one step; what goes wrong is printed, and no reason to stop. */
async function collect({ info, command, file }: Step, directory: string, out: Output): Promise<void> {
  if (info !== undefined) out.line(info);
  const [program, ...args] = command;
  try {
    const { exitCode, stdout, stderr } = await runProgram(program, args);
    await writeFile(join(directory, file), stdout + stderr, { mode: 0o600 });
    if (exitCode !== 0) out.line(`exit status ${String(exitCode)}`);
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    const isMissing = error.message.includes('ENOENT');
    out.line(isMissing ? `exec: "${program}": executable file not found in $PATH` : visible(error.message));
  }
}

async function collectAgent(runDir: string, directory: string, out: Output): Promise<void> {
  out.line('Dumping felix stats');
  const answered = await askAgent(runDir, '/status');
  if (answered === undefined) out.line('Calico process is not running.');
  else await writeFile(join(directory, 'agent'), answered.body, { mode: 0o600 });
}

async function copyLogs(logDir: string, directory: string, out: Output): Promise<void> {
  out.line('Copying Calico logs');
  try {
    if (!(await stat(logDir)).isDirectory()) {
      out.line(visible(`No logs found in ${logDir}; skipping log copying`));
      return;
    }
    await cp(logDir, join(directory, 'logs'), { recursive: true });
  } catch (error) {
    out.line(visible(`Error copying log files: ${messageOf(error)}`));
  }
}

/** `20161220_120000`, in universal time. */
function timestamp(now: number): string {
  return new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
}

export const nodeDiagsCommand = defineCommand({
  path: ['node', 'diags'],
  help: nodeDiagsHelp,
  options: { logDir: text('--log-dir') },
  run: async ({ options: { logDir = '/var/log/calico' }, out, env, clock }) => {
    if (!mayManageNode(out)) return 1;
    out.line('Collecting diagnostics');
    // For its owner only: what a host's network looks like is nobody else's business.
    const temporary = await mkdtemp(join(tmpdir(), 'calico'));
    out.line(`Using temp dir: ${temporary}`);
    const directory = join(temporary, 'diagnostics');
    await mkdir(directory, { mode: 0o700 });
    const runDir = runDirOf(env);
    for (const step of [...steps, ...birdSteps(runDir)]) await collect(step, directory, out);
    await copyBirdConfig(runDir, directory);
    await collectAgent(runDir, directory, out);
    await copyLogs(logDir, directory, out);
    const archive = join(temporary, `diags-${timestamp(clock.now())}.tar.gz`);
    const { exitCode, stderr } = await runProgram('tar', ['-czf', archive, '-C', temporary, 'diagnostics']);
    if (exitCode !== 0) {
      out.line(visible(`Error executing command: tar: ${stderr.trim()}`));
      return 1;
    }
    await chmod(archive, 0o600);
    out.line();
    out.line(`Diags saved to ${archive}`);
    out.line('If required, you can upload the diagnostics bundle to a file sharing service');
    out.line('using curl or similar.  For example:');
    out.line(`    curl --upload-file ${archive} https://<file-sharing-service>/${basename(archive)}`);
    return 0;
  },
});
