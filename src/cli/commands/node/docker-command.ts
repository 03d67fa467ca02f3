import { CalicoError } from '../../../base/index.js';
import type { Settings } from '../../settings.js';
import { nodeVariables } from './run-options.js';
import type { RunOptions } from './run-options.js';

/** Where certificates are inside the container. */
const certificates = {
  ca: '/etc/calico/certs/ca_cert.crt',
  key: '/etc/calico/certs/key.pem',
  cert: '/etc/calico/certs/cert.crt',
} as const;

/** Connection settings, and whether the environment's defaults apply to them. */
export interface NodeDatastore {
  readonly settings: Settings;
  readonly fromFile: boolean;
}

type Pairs = readonly (readonly [string, string])[];

function hasKeyPair({ etcdKeyFile = '', etcdCertFile = '' }: Settings): boolean {
  return etcdKeyFile !== '' && etcdCertFile !== '';
}

function etcdVariables({ settings, fromFile }: NodeDatastore): Pairs {
  const { etcdEndpoints = '', etcdCACertFile = '' } = settings;
  const alone = etcdEndpoints === '';
  const authority = settings.etcdAuthority ?? (fromFile ? '' : '127.0.0.1:2379');
  const scheme = settings.etcdScheme ?? (fromFile ? '' : 'http');
  return [
    ['ETCD_ENDPOINTS', etcdEndpoints],
    ['ETCD_AUTHORITY', alone ? authority : ''],
    ['ETCD_SCHEME', alone ? scheme : ''],
    ...(etcdCACertFile === '' ? [] : [['ETCD_CA_CERT_FILE', certificates.ca] as const]),
    ...(hasKeyPair(settings)
      ? [['ETCD_KEY_FILE', certificates.key] as const, ['ETCD_CERT_FILE', certificates.cert] as const]
      : []),
  ];
}

function mounts({ logDir, dockerPrefix }: RunOptions, settings: Settings): Pairs {
  const { etcdCACertFile = '', etcdKeyFile = '', etcdCertFile = '' } = settings;
  return [
    [logDir, '/var/log/calico'],
    ['/var/run/calico', '/var/run/calico'],
    ['/lib/modules', '/lib/modules'],
    ...(dockerPrefix === undefined
      ? []
      : [
          ['/run/docker/plugins', '/run/docker/plugins'] as const,
          ['/var/run/docker.sock', '/var/run/docker.sock'] as const,
        ]),
    ...(etcdCACertFile === '' ? [] : [[etcdCACertFile, certificates.ca] as const]),
    ...(hasKeyPair(settings)
      ? [[etcdKeyFile, certificates.key] as const, [etcdCertFile, certificates.cert] as const]
      : []),
  ];
}

/** The command that runs the calico/node container (`calicoctl.md` 9.2): the program, then its arguments. */
export function dockerCommand(
  options: RunOptions,
  datastore: NodeDatastore,
  initSystem: boolean,
): readonly string[] {
  const { datastoreType = '' } = datastore.settings;
  if (!['', 'etcdv2', 'etcdv3'].includes(datastoreType)) {
    throw new CalicoError('unsupported', 'unsupported backend specified in config');
  }
  const environment = [...nodeVariables(options), ...etcdVariables(datastore)];
  return [
    'docker',
    'run',
    '--net=host',
    '--privileged',
    '--name=calico-node',
    ...(initSystem ? ['--rm'] : ['-d', '--restart=always']),
    ...environment.flatMap(([name, value]) => ['-e', `${name}=${value}`]),
    ...mounts(options, datastore.settings).flatMap(([host, inside]) => ['-v', `${host}:${inside}`]),
    options.image,
  ];
}
