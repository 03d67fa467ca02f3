import { spawn } from 'node:child_process';
import { mkdir, open } from 'node:fs/promises';
import { CalicoError } from '../../../base/index.js';
import type { Clock } from '../../../base/index.js';
import { settingNames } from '../../settings.js';
import type { Settings } from '../../settings.js';
import { askAgent } from './agent-answer.js';
import { nodeVariables } from './run-options.js';
import type { RunOptions } from './run-options.js';

/** How long a start is followed. */
const PATIENCE_MS = 10_000;
const STEP_MS = 100;

/** Where the agent keeps its files, besides its logs: what moves them for us moves them for it. */
const DIRECTORIES: readonly string[] = [
  'CALICO_ETC_DIR',
  'CALICO_STATE_DIR',
  'CALICO_STORE_DIR',
  'CALICO_RUN_DIR',
];

/** All that the agent of this installation is given: its options, its directories, and where its datastore is. */
export function nativeVariables(
  options: RunOptions,
  settings: Settings,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const datastore = Object.entries(settingNames).flatMap(([field, [name]]) => {
    // Every field of Settings is one of these names.
    const value = settings[field as keyof typeof settingNames];
    return value === undefined ? [] : [[name, value] as const];
  });
  const directories = DIRECTORIES.flatMap(name => {
    const value = env[name] ?? '';
    return value === '' ? [] : [[name, value] as const];
  });
  return Object.fromEntries([
    ...nodeVariables(options),
    ['CALICO_LOG_DIR', options.logDir],
    ...directories,
    ...datastore,
  ]);
}

/** A text as one word of a systemd unit: `%` and `$` have a meaning there. */
function unitWord(text: string): string {
  return `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('%', '%%').replaceAll('\n', '\\n')}"`;
}

/** What nobody but root may read does not belong into a unit, which everybody can. */
const SECRETS: readonly string[] = ['ETCD_PASSWORD', 'K8S_API_TOKEN'];

/** Where an operator puts what the unit does not say. */
const ENVIRONMENT_FILE = '/etc/calico/calico-node.env';

/**
 * A systemd unit that keeps the agent running. Its directories are the agent's own defaults unless variables move
 * them. Passwords are left out, with a line that says where they go.
 */
export function systemdUnit(program: string, variables: Readonly<Record<string, string>>): string {
  const entries = Object.entries(variables);
  const environment = entries
    .filter(([name]) => !SECRETS.includes(name))
    .map(([name, value]) => `Environment=${unitWord(`${name}=${value}`)}`);
  const secrets = entries
    .filter(([name]) => SECRETS.includes(name))
    .map(([name]) => `# ${name} is a secret: put it into ${ENVIRONMENT_FILE}, which only root can read.`);
  return [
    '[Unit]',
    'Description=Calico node: policy, addresses and routes of the workloads of this host',
    'Wants=network-online.target',
    'After=network-online.target',
    '# It is tried again for ever: without it no workload can start.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    'Type=exec',
    ...secrets,
    `EnvironmentFile=-${ENVIRONMENT_FILE}`,
    ...environment,
    `ExecStart=${unitWord(program).replaceAll('$', '$$$$')}`,
    'Restart=always',
    'RestartSec=2',
    'TimeoutStopSec=30',
    '# BIRD outlives the agent, which takes it over again: the neighbours notice nothing.',
    'KillMode=process',
    ...(variables['CALICO_RUN_DIR'] === undefined
      ? [
          '# Sockets, attachments of containers and the running BIRD are found there after a restart.',
          'RuntimeDirectory=calico',
          'RuntimeDirectoryMode=0700',
          'RuntimeDirectoryPreserve=yes',
        ]
      : []),
    'UMask=0077',
    'LimitNOFILE=65536',
    'OOMScoreAdjust=-900',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
    '',
  ].join('\n');
}

export interface NativeStart {
  readonly program: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly logDir: string;
  readonly runDir: string;
  readonly clock: Clock;
}

/** How a start ended: `reasons` say why the agent is not ready yet; it goes on trying. */
export type StartOutcome =
  | { readonly kind: 'ready'; readonly pid: number }
  | { readonly kind: 'waiting'; readonly pid: number; readonly reasons: string };

/**
 * Starts the agent in the background, its output in `calico-node.log` of the log directory, and follows it
 * until it is ready, for ten seconds at most. Fails when it ends before that, or runs already.
 */
export async function startNative(start: NativeStart): Promise<StartOutcome> {
  const { program, env, logDir, runDir, clock } = start;
  if ((await askAgent(runDir, '/live')) !== undefined) {
    throw new CalicoError(
      'already-exists',
      `calico-node is running already (${runDir}/control.sock answers)`,
    );
  }
  await mkdir(logDir, { recursive: true, mode: 0o700 });
  const log = await open(`${logDir}/calico-node.log`, 'a', 0o600);
  try {
    const child = spawn(program, [], { env, detached: true, stdio: ['ignore', log.fd, log.fd] });
    const ended: string[] = [];
    child.once('error', error => ended.push(error.message));
    child.once('exit', code => ended.push(`exit status ${String(code)}`));
    const deadline = clock.monotonic() + PATIENCE_MS;
    let reasons = 'it does not answer yet';
    while (ended.length === 0 && clock.monotonic() < deadline) {
      const answered = await askAgent(runDir, '/ready');
      if (answered?.status === 200) break;
      if (answered !== undefined) reasons = answered.body.trim();
      await clock.sleep(STEP_MS);
    }
    if (ended.length > 0 || child.pid === undefined) {
      throw new CalicoError(
        'unavailable',
        `calico/node has terminated, check logs for details (${ended.join()}; ${logDir}/calico-node.log)`,
      );
    }
    child.unref();
    const isReady = (await askAgent(runDir, '/ready'))?.status === 200;
    return isReady ? { kind: 'ready', pid: child.pid } : { kind: 'waiting', pid: child.pid, reasons };
  } finally {
    await log.close();
  }
}
