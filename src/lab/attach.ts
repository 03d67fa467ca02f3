import { CalicoError, runProgram } from '../base/index.js';
import type { ProgramResult } from '../base/index.js';
import { netnsPath } from './namespaces.js';
import { hostEnvironment } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabHost, LabPlan, LabWorkload } from './plan.js';

/** The profile of all workloads of a lab: they may talk with each other as long as no policy selects them. */
const LAB_NETWORK = 'lab';

function networkConfiguration(workload: LabWorkload): string {
  return JSON.stringify({
    cniVersion: '1.0.0',
    name: LAB_NETWORK,
    type: 'calico',
    ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' },
    args: { labels: Object.entries(workload.labels).map(([key, value]) => ({ key, value })) },
  });
}

/** The message of a CNI error object, or whatever else was said. */
function messageIn({ stdout, stderr }: ProgramResult): string {
  try {
    return String((JSON.parse(stdout) as { readonly msg?: unknown }).msg);
  } catch {
    return `${stdout}${stderr}`.trim();
  }
}

async function addByPlugin(target: {
  readonly paths: LabPaths;
  readonly plan: LabPlan;
  readonly host: LabHost;
  readonly workload: LabWorkload;
}): Promise<string> {
  const { paths, plan, host, workload } = target;
  const result = await runProgram(`${paths.bin}/cni/calico`, [], {
    input: networkConfiguration(workload),
    env: {
      ...hostEnvironment(paths, plan, host),
      CNI_COMMAND: 'ADD',
      CNI_CONTAINERID: workload.containerId,
      CNI_NETNS: netnsPath(workload.netns),
      CNI_IFNAME: 'eth0',
      CNI_PATH: `${paths.bin}/cni`,
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=lab;K8S_POD_NAME=${workload.name}`,
    },
  });
  if (result.exitCode !== 0) {
    throw new CalicoError('unavailable', `CNI ADD of ${workload.name}: ${messageIn(result)}`);
  }
  return result.stdout;
}

/** True when the workload has its interface: then it must not be attached again while its traffic runs. */
async function hasInterface(workload: LabWorkload): Promise<boolean> {
  const { exitCode } = await runProgram('ip', ['-n', workload.netns, 'link', 'show', 'dev', 'eth0']);
  return exitCode === 0;
}

/** Attaches the workload as a container runtime would: by the CNI executable. Its addresses; undefined
 * when it was attached before. */
export async function attachWorkload(
  paths: LabPaths,
  plan: LabPlan,
  host: LabHost,
  workload: LabWorkload,
): Promise<readonly string[] | undefined> {
  if (await hasInterface(workload)) return undefined;
  const answer = JSON.parse(await addByPlugin({ paths, plan, host, workload })) as {
    readonly ips?: readonly { readonly address: string }[];
  };
  return (answer.ips ?? []).map(ip => ip.address.replace(/\/.*$/, ''));
}
