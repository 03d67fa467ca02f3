import { CalicoError } from '../base/index.js';
import type { Issue } from '../base/index.js';
import { etcdConfig, etcdVariables, namesEtcd } from '../datastore/index.js';
import type { EtcdSettings, StoreConfig } from '../datastore/index.js';
import { parseAsNumber, parseIp, formatIp } from '../net/index.js';

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
  readonly backend: 'bird' | 'none';
  /** the node's own address for routing, or `autodetect`: look at the interfaces every time */
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
  readonly asNumber: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

class Reader {
  readonly issues: Issue[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The first of the names that is set and not empty. */
  text(...names: readonly string[]): string | undefined {
    for (const name of names) {
      const value = this.#env[name];
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  }

  /** Parsed by `parse`, which answers undefined for what it does not accept. */
  parsed<T>(name: string, expected: string, parse: (text: string) => T | undefined): T | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const result = parse(value);
    if (result === undefined) this.issues.push({ path: name, value, expected });
    return result;
  }

  choice<T extends string>(
    name: string,
    choices: readonly T[],
    normalise: (text: string) => string,
  ): T | undefined {
    return this.parsed(name, `one of ${choices.join(', ')}`, text =>
      choices.find(choice => choice === normalise(text)),
    );
  }
}

const ofVersion =
  (version: 4 | 6) =>
  (text: string): string | undefined => {
    const ip = parseIp(text);
    return ip?.version === version ? formatIp(ip) : undefined;
  };

/** The settings of etcd; what is set with `CALICO_` before it wins (calicoctl.md 2.3). */
function readEtcd(reader: Reader): EtcdSettings {
  const entries = Object.entries(etcdVariables).map(([setting, name]) => [
    setting,
    reader.text(`CALICO_${name}`, name),
  ]);
  return Object.fromEntries(entries);
}

function readStore(reader: Reader, stateDir: string): StoreConfig {
  // Manifests of the original say etcdv2; what they mean is the etcd of today.
  const types = ['sqlite', 'etcdv2', 'etcdv3', 'kubernetes'] as const;
  const type = reader.choice('DATASTORE_TYPE', types, text => text);
  if (type === 'kubernetes') return { type };
  const settings = readEtcd(reader);
  if (type !== 'sqlite' && (type !== undefined || namesEtcd(settings))) return etcdConfig(settings);
  return { type: 'sqlite', directory: reader.text('CALICO_STORE_DIR') ?? `${stateDir}/store` };
}

const NODE_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/**
 * Reads the agent's configuration; throws `invalid` with one issue for each bad variable. `hostname` is the
 * node's name when none is given.
 */
export function readAgentConfig(env: Environment, hostname: string): AgentConfig {
  const reader = new Reader(env);
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
    backend: reader.choice('CALICO_NETWORKING_BACKEND', ['bird', 'none'], text => text) ?? 'bird',
    ipv4: reader.parsed('IP', 'an IPv4 address or autodetect', text =>
      text === 'autodetect' ? text : ofVersion(4)(text),
    ),
    ipv6: reader.parsed('IP6', 'an IPv6 address', ofVersion(6)),
    asNumber: reader.parsed('AS', 'an AS number (0-4294967295, or dotted)', parseAsNumber),
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
