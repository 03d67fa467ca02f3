import { CalicoError } from '../../base/index.js';

/** Where an etcd v3 cluster answers, and who we are to it. */
export interface EtcdConfig {
  readonly type: 'etcdv3';
  /** such as `http://10.0.0.1:2379` or `unix:///path`; members of one cluster, any of which will do */
  readonly endpoints: readonly string[];
  /** the domain whose SRV records name the members, instead of endpoints */
  readonly discoverySrv?: string | undefined;
  /** counts only together with a password */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** whom to trust; without it the authorities of the runtime */
  readonly ca?: Pem | undefined;
  /** our certificate and its key: both or none */
  readonly cert?: Pem | undefined;
  readonly key?: Pem | undefined;
}

/** A certificate or key in PEM form, by path or as it is. */
export type Pem = { readonly file: string } | { readonly text: string };

/** The settings of etcd as an operator writes them: in variables, or in a configuration file. */
export type EtcdSettings = {
  readonly [Name in keyof typeof etcdVariables]?: string | undefined;
};

/** Each setting and its variable, with or without `CALICO_` before it (calicoctl.md 2.3). */
export const etcdVariables = {
  endpoints: 'ETCD_ENDPOINTS',
  scheme: 'ETCD_SCHEME',
  authority: 'ETCD_AUTHORITY',
  discoverySrv: 'ETCD_DISCOVERY_SRV',
  username: 'ETCD_USERNAME',
  password: 'ETCD_PASSWORD',
  caFile: 'ETCD_CA_CERT_FILE',
  certFile: 'ETCD_CERT_FILE',
  keyFile: 'ETCD_KEY_FILE',
  ca: 'ETCD_CA_CERT',
  cert: 'ETCD_CERT',
  key: 'ETCD_KEY',
} as const;

/** True when the settings say where an etcd is: enough to choose it where no type of datastore is given. */
export function namesEtcd({ endpoints = '', authority = '', discoverySrv = '' }: EtcdSettings): boolean {
  return endpoints !== '' || authority !== '' || discoverySrv !== '';
}

/**
 * What the settings say: endpoints before authority, files before texts; this host when they name no place.
 * `invalid` when they name two.
 */
export function etcdConfig(settings: EtcdSettings): EtcdConfig {
  const { username, password, endpoints = '', discoverySrv = '' } = settings;
  if (discoverySrv !== '' && endpoints !== '') {
    throw new CalicoError('invalid', 'datastore: set ETCD_ENDPOINTS or ETCD_DISCOVERY_SRV, not both');
  }
  return {
    type: 'etcdv3',
    ...(discoverySrv === '' ? { endpoints: endpointsOf(settings) } : { endpoints: [], discoverySrv }),
    username,
    password,
    ca: pem(settings.caFile, settings.ca),
    cert: pem(settings.certFile, settings.cert),
    key: pem(settings.keyFile, settings.key),
  };
}

function endpointsOf({ endpoints = '', scheme = '', authority = '' }: EtcdSettings): readonly string[] {
  if (endpoints !== '') return endpoints.split(',');
  return [`${scheme === '' ? 'http' : scheme}://${authority === '' ? '127.0.0.1:2379' : authority}`];
}

function pem(file = '', text = ''): Pem | undefined {
  if (file !== '') return { file };
  return text === '' ? undefined : { text };
}
