import { stat } from 'node:fs/promises';
import { CalicoError } from '../base/index.js';
import type { StoreConfig } from '../datastore/index.js';
import { settingNames } from './settings.js';
import type { Settings } from './settings.js';

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

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    // Missing or unreachable: the environment is used, as the original does.
    return false;
  }
}

function typeOf(settings: Settings): 'sqlite' | 'etcdv3' | 'kubernetes' {
  const { datastoreType = '', etcdEndpoints = '', etcdAuthority = '' } = settings;
  switch (datastoreType) {
    case '':
      return etcdEndpoints !== '' || etcdAuthority !== '' ? 'etcdv3' : 'sqlite';
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

/**
 * Which datastore to open: a configuration file that exists is the only source; else the environment; and
 * when neither names one, the embedded store of this host.
 */
export async function connectionSettings({ env, configFile }: SettingsSource): Promise<StoreConfig> {
  const fromFile = configFile !== '' && (await exists(configFile));
  const settings = fromFile
    ? await (await import('./read-config-file.js')).readConfigFile(configFile)
    : settingsOfEnvironment(env);
  const type = typeOf(settings);
  if (type !== 'sqlite') {
    const nowhere =
      fromFile && (settings.etcdEndpoints ?? '') === '' && (settings.etcdAuthority ?? '') === '';
    if (type === 'etcdv3' && nowhere)
      throw new CalicoError('invalid', 'no etcd authority or endpoints specified');
    return { type };
  }
  const stateDir = env['CALICO_STATE_DIR'];
  const storeDir = env['CALICO_STORE_DIR'];
  const directory = `${stateDir === undefined || stateDir === '' ? DEFAULT_STATE_DIR : stateDir}/store`;
  return { type, directory: storeDir === undefined || storeDir === '' ? directory : storeDir };
}
