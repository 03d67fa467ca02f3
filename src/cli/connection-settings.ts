import { CalicoError } from '../base/index.js';
import { etcdConfig, namesEtcd } from '../datastore/index.js';
import type { EtcdSettings, StoreConfig } from '../datastore/index.js';
import { settingNames } from './settings.js';
import type { Settings } from './settings.js';

// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { statSync } = process.getBuiltinModule('node:fs');

export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`, or its default */
  readonly configFile: string;
}

const DEFAULT_STATE_DIR = '/var/lib/calico';

/** `CALICO_NAME` wins over `NAME`, also when it is set to nothing. */
function variable(env: SettingsSource['env'], names: readonly string[]): string | undefined {
  return names.map(name => env[`CALICO_${name}`] ?? env[name]).find(value => value !== undefined);
}

function settingsOfEnvironment(env: SettingsSource['env']): Settings {
  const entries = Object.entries(settingNames).map(([field, names]) => [field, variable(env, names)]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Asked without waiting: node:fs/promises would cost every short command milliseconds. */
function exists(path: string): boolean {
  try {
    statSync(path);
    return true;
  } catch {
    // Missing or unreachable: the environment is used, as the original does.
    return false;
  }
}

function etcdOf(settings: Settings): EtcdSettings {
  return {
    endpoints: settings.etcdEndpoints,
    scheme: settings.etcdScheme,
    authority: settings.etcdAuthority,
    discoverySrv: settings.etcdDiscoverySrv,
    username: settings.etcdUsername,
    password: settings.etcdPassword,
    caFile: settings.etcdCACertFile,
    certFile: settings.etcdCertFile,
    keyFile: settings.etcdKeyFile,
    ca: settings.etcdCACert,
    cert: settings.etcdCert,
    key: settings.etcdKey,
  };
}

function typeOf(settings: Settings): 'sqlite' | 'etcdv3' | 'kubernetes' {
  const { datastoreType = '' } = settings;
  switch (datastoreType) {
    case '':
      return namesEtcd(etcdOf(settings)) ? 'etcdv3' : 'sqlite';
    case 'sqlite':
    case 'kubernetes':
      return datastoreType;
    case 'etcdv2':
    case 'etcdv3':
      return 'etcdv3';
    default:
      throw new CalicoError('invalid', `Unknown datastore type: ${datastoreType}`);
  }
}

export interface ReadSettings {
  readonly settings: Settings;
  readonly fromFile: boolean;
}

/** What a configuration file that exists says, or else the environment. */
export async function readSettings({ env, configFile }: SettingsSource): Promise<ReadSettings> {
  const fromFile = configFile !== '' && exists(configFile);
  const settings = fromFile
    ? await (await import('./read-config-file.js')).readConfigFile(configFile)
    : settingsOfEnvironment(env);
  return { settings, fromFile };
}

/**
 * Which datastore to open: a configuration file that exists is the only source; else the environment; and
 * when neither names one, the embedded store of this host.
 */
export function storeConfig({ settings, fromFile }: ReadSettings, env: SettingsSource['env']): StoreConfig {
  const type = typeOf(settings);
  if (type === 'kubernetes') return { type };
  if (type === 'etcdv3') {
    const etcd = etcdOf(settings);
    // Only a variable that is not set has a default.
    const nowhere = fromFile || settings.etcdAuthority !== undefined;
    if (nowhere && !namesEtcd(etcd))
      throw new CalicoError('invalid', 'no etcd authority or endpoints specified');
    return etcdConfig(etcd);
  }
  const stateDir = env['CALICO_STATE_DIR'];
  const storeDir = env['CALICO_STORE_DIR'];
  const directory = `${stateDir === undefined || stateDir === '' ? DEFAULT_STATE_DIR : stateDir}/store`;
  return { type, directory: storeDir === undefined || storeDir === '' ? directory : storeDir };
}
