import type { StoreConfig } from '../datastore/index.js';
import type { LabHost, LabPlan, LabRouter } from './plan.js';

/** Where the lab keeps its files, and where it finds the product's executables. */
export interface LabPaths {
  /** one directory for each lab below it */
  readonly root: string;
  /** the folder with `calico-node` and `cni/` */
  readonly bin: string;
}

/** The Node runtime, and the program that makes and answers connections, and delays links, inside the lab. */
export function probeProgram(paths: LabPaths): { readonly node: string; readonly program: string } {
  return { node: process.execPath, program: `${paths.bin}/../dist/calico-lab-probe.js` };
}

export function labDirectory(paths: LabPaths, name: string): string {
  return `${paths.root}/${name}`;
}

/** The embedded datastore that all agents of the lab share; of an etcd, where it keeps its files. */
export function storeDirectory(paths: LabPaths, plan: LabPlan): string {
  return `${labDirectory(paths, plan.name)}/store`;
}

/** Where the lab's etcd answers: a socket that every host reaches, whatever happens to its links. */
export function etcdEndpoint(paths: LabPaths, plan: LabPlan): string {
  return `unix://${storeDirectory(paths, plan)}/client:0`;
}

/** The lab's datastore, for whoever opens it. */
export function labStore(paths: LabPaths, plan: LabPlan): StoreConfig {
  return plan.datastore === 'etcd'
    ? { type: 'etcdv3', endpoints: [etcdEndpoint(paths, plan)] }
    : { type: 'sqlite', directory: storeDirectory(paths, plan) };
}

/** What tells an executable where the lab's datastore is. */
export function storeEnvironment(paths: LabPaths, plan: LabPlan): Record<string, string> {
  return plan.datastore === 'etcd'
    ? { DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: etcdEndpoint(paths, plan) }
    : { DATASTORE_TYPE: 'sqlite', CALICO_STORE_DIR: storeDirectory(paths, plan) };
}

export interface HostDirectories {
  readonly state: string;
  readonly run: string;
  readonly log: string;
}

export function hostDirectories(paths: LabPaths, plan: LabPlan, host: LabHost): HostDirectories {
  const base = `${labDirectory(paths, plan.name)}/hosts/${host.name}`;
  return { state: `${base}/state`, run: `${base}/run`, log: `${base}/log` };
}

/** Where FRR has its sockets. */
export const FRR_RUN = '/run/frr';

/** Where a router's daemons have their files and sockets; FRR has them where `vtysh -N` looks for them. */
export function routerDirectory(paths: LabPaths, plan: LabPlan, router: LabRouter): string {
  if (router.bgp?.daemon === 'frr') return `${FRR_RUN}/${router.netns}`;
  return `${labDirectory(paths, plan.name)}/routers/${router.name}`;
}

/** What tells an executable that it runs on that host of the lab. */
export function hostEnvironment(paths: LabPaths, plan: LabPlan, host: LabHost): Record<string, string> {
  const { state, run, log } = hostDirectories(paths, plan, host);
  return {
    ...storeEnvironment(paths, plan),
    CALICO_STATE_DIR: state,
    CALICO_RUN_DIR: run,
    CALICO_LOG_DIR: log,
    NODENAME: host.name,
    IP: host.ipv4,
    IP6: host.ipv6,
  };
}
