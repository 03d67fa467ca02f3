/** Each field of a configuration file's spec and the environment variable of the same meaning. */
export const settingNames = {
  datastoreType: ['DATASTORE_TYPE'],
  etcdScheme: ['ETCD_SCHEME'],
  etcdAuthority: ['ETCD_AUTHORITY'],
  etcdEndpoints: ['ETCD_ENDPOINTS'],
  etcdDiscoverySrv: ['ETCD_DISCOVERY_SRV'],
  etcdUsername: ['ETCD_USERNAME'],
  etcdPassword: ['ETCD_PASSWORD'],
  etcdKeyFile: ['ETCD_KEY_FILE'],
  etcdCertFile: ['ETCD_CERT_FILE'],
  etcdCACertFile: ['ETCD_CA_CERT_FILE'],
  etcdKey: ['ETCD_KEY'],
  etcdCert: ['ETCD_CERT'],
  etcdCACert: ['ETCD_CA_CERT'],
  kubeconfig: ['KUBECONFIG'],
  k8sAPIEndpoint: ['K8S_API_ENDPOINT'],
  k8sKeyFile: ['K8S_KEY_FILE'],
  k8sCertFile: ['K8S_CERT_FILE'],
  k8sCAFile: ['K8S_CA_FILE'],
  k8sAPIToken: ['K8S_API_TOKEN', 'K8S_TOKEN'],
} as const;

type SettingField = keyof typeof settingNames;

export type Settings = Readonly<Partial<Record<SettingField, string>>>;
