import { stat } from 'node:fs/promises';
import { CalicoError } from '../base/index.js';
import type { StoreConfig } from '../datastore/index.js';

export interface SettingsSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--config`, or its default */
  readonly configFile: string;
}

/** Each field of a configuration file's spec and the environment variable of the same meaning. */
export const settingNames = {
  datastoreType: ['DATASTORE_TYPE'],
  etcdScheme: ['ETCD_SCHEME'],
  etcdAuthority: ['ETCD_AUTHORITY'],
  etcdEndpoints: ['ETCD_ENDPOINTS'],
  etcdUsername: ['ETCD_USERNAME'],
  etcdPassword: ['ETCD_PASSWORD'],
  etcdKeyFile: ['ETCD_KEY_FILE'],
  etcdCertFile: ['ETCD_CERT_FILE'],
  etcdCACertFile: ['ETCD_CA_CERT_FILE'],
  kubeconfig: ['KUBECONFIG'],
  k8sAPIEndpoint: ['K8S_API_ENDPOINT'],
  k8sKeyFile: ['K8S_KEY_FILE'],
  k8sCertFile: ['K8S_CERT_FILE'],
  k8sCAFile: ['K8S_CA_FILE'],
  k8sAPIToken: ['K8S_API_TOKEN', 'K8S_TOKEN'],
} as const;

export type SettingField = keyof typeof settingNames;

export type Settings = Readonly<Partial<Record<SettingField, string>>>;

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
