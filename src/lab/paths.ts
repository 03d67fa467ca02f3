import type { LabHost, LabPlan } from './plan.js';

/** Where the lab keeps its files, and where it finds the product's executables. */
export interface LabPaths {
  /** one directory for each lab below it */
  readonly root: string;
  /** the folder with `calico-node` and `cni/` */
  readonly bin: string;
}

export function labDirectory(paths: LabPaths, name: string): string {
  return `${paths.root}/${name}`;
}

/** The datastore that all agents of the lab share. */
export function storeDirectory(paths: LabPaths, plan: LabPlan): string {
  return `${labDirectory(paths, plan.name)}/store`;
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

/** What tells an executable that it runs on that host of the lab. */
export function hostEnvironment(paths: LabPaths, plan: LabPlan, host: LabHost): Record<string, string> {
  const { state, run, log } = hostDirectories(paths, plan, host);
  return {
    DATASTORE_TYPE: 'sqlite',
    CALICO_STORE_DIR: storeDirectory(paths, plan),
    CALICO_STATE_DIR: state,
    CALICO_RUN_DIR: run,
    CALICO_LOG_DIR: log,
    NODENAME: host.name,
    IP: host.ipv4,
    IP6: host.ipv6,
  };
}
