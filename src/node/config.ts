import { CalicoError } from '../base/index.js';
import { etcdConfig, etcdVariables, namesEtcd } from '../datastore/index.js';
import type { EtcdSettings, StoreConfig } from '../datastore/index.js';
import { EnvironmentReader } from './environment-reader.js';
import type { Environment } from './environment-reader.js';
import { readStartupConfig } from './startup-config.js';
import type { StartupConfig } from './startup-config.js';

/** What brings routes to other hosts; `none`: policy only. */
const BACKENDS = ['bird', 'gobgp', 'none'] as const;

/** All that the agent is told from outside, read once from the environment. */
export interface AgentConfig {
  readonly nodeName: string;
  /** where files of configuration lie */
  readonly etcDir: string;
  /** state (embedded store, queued deletes), run (sockets), log: one set for each agent */
  readonly stateDir: string;
  readonly runDir: string;
  readonly logDir: string;
  readonly store: StoreConfig;
  /** how the ruleset reaches the kernel: by itself, or, to see what it does, by the nft program */
  readonly nftApplier: 'netlink' | 'program';
  readonly backend: (typeof BACKENDS)[number];
  readonly startup: StartupConfig;
}

/** The settings of etcd; what is set with `CALICO_` before it wins (calicoctl.md 2.3). */
function readEtcd(reader: EnvironmentReader): EtcdSettings {
  const entries = Object.entries(etcdVariables).map(([setting, name]) => [
    setting,
    reader.text(`CALICO_${name}`, name),
  ]);
  return Object.fromEntries(entries);
}

function readStore(reader: EnvironmentReader, stateDir: string): StoreConfig {
  // Manifests of the original say etcdv2; what they mean is the etcd of today.
  const types = ['sqlite', 'etcdv2', 'etcdv3', 'kubernetes'] as const;
  const type = reader.choice('DATASTORE_TYPE', types, text => text);
  if (type === 'kubernetes') return { type };
  const settings = readEtcd(reader);
  if (type !== 'sqlite' && (type !== undefined || namesEtcd(settings))) return etcdConfig(settings);
  return { type: 'sqlite', directory: reader.text('CALICO_STORE_DIR') ?? `${stateDir}/store` };
}

function readBackend(reader: EnvironmentReader): AgentConfig['backend'] {
  const chosen = reader.choice('CALICO_NETWORKING_BACKEND', BACKENDS, text => text);
  // How manifests said it before there were backends to choose from.
  return chosen ?? (reader.flag('CALICO_NETWORKING') === false ? 'none' : 'bird');
}

const NODE_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/**
 * Reads the agent's configuration; throws `invalid` with one issue for each bad variable. `hostname` is the
 * node's name when none is given.
 */
export function readAgentConfig(env: Environment, hostname: string): AgentConfig {
  const reader = new EnvironmentReader(env);
  const stateDir = reader.text('CALICO_STATE_DIR') ?? '/var/lib/calico';
  const config: AgentConfig = {
    nodeName:
      reader.parsed('NODENAME', 'a name of letters, digits, _ . - of at most 128', text =>
        NODE_NAME.test(text) ? text : undefined,
      ) ?? hostname,
    etcDir: reader.text('CALICO_ETC_DIR') ?? '/etc/calico',
    stateDir,
    runDir: reader.text('CALICO_RUN_DIR') ?? '/run/calico',
    logDir: reader.text('CALICO_LOG_DIR') ?? '/var/log/calico',
    store: readStore(reader, stateDir),
    backend: readBackend(reader),
    nftApplier: reader.choice('CALICO_NFT_APPLIER', ['netlink', 'program'], text => text) ?? 'netlink',
    startup: readStartupConfig(reader),
  };
  if (reader.issues.length > 0) {
    throw new CalicoError(
      'invalid',
      reader.issues.map(issue => `${issue.path}='${issue.value}': expected ${issue.expected}`).join('\n'),
      { issues: reader.issues },
    );
  }
  return config;
}
