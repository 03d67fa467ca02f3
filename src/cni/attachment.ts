import { hexDigest } from '../base/index.js';
import { canonicalMac, parseIp } from '../net/index.js';
import type { Ip } from '../net/index.js';
import { CniError, cniCode } from './errors.js';
import type { CniRequest } from './protocol.js';

/** One interface of one container, as the environment of a request names it. */
export interface Attachment {
  readonly containerId: string;
  readonly ifName: string;
  /** path; undefined when the runtime has none any more */
  readonly netns: string | undefined;
  /** what the endpoint is stored under */
  readonly orchestrator: 'cni' | 'k8s';
  readonly workload: string;
  readonly pod: { readonly namespace: string; readonly name: string } | undefined;
  /** a certain address that is asked for */
  readonly wantedAddress: Ip | undefined;
  /** a certain hardware address of the container's end that is asked for */
  readonly wantedMac: string | undefined;
}

const identifier = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** What `/`, `:` or white space would break; 15 bytes is the kernel's limit. The store takes no others either. */
const interfaceName = /^[a-zA-Z0-9_-]{1,15}$/;

/** The longest container id: a queued DEL is a file of that name. */
const maxIdLength = 200;

function refuse(name: string, problem: string): never {
  throw new CniError(cniCode.badEnvironment, `invalid environment: ${name} ${problem}`);
}

/** Reads and checks the environment of ADD, DEL and CHECK; fails with code 4. */
export function parseAttachment(request: CniRequest): Attachment {
  const { containerId, ifName, netns } = request;
  if (containerId === '') refuse('CNI_CONTAINERID', 'is missing');
  if (!identifier.test(containerId) || containerId.length > maxIdLength) {
    refuse('CNI_CONTAINERID', `${JSON.stringify(containerId)} is not a container id`);
  }
  if (ifName === '') refuse('CNI_IFNAME', 'is missing');
  if (!interfaceName.test(ifName)) {
    refuse(
      'CNI_IFNAME',
      `${JSON.stringify(ifName)} is not the name of an interface (1 to 15 letters, digits, _ -)`,
    );
  }
  if (netns === '' && request.command !== 'DEL') refuse('CNI_NETNS', 'is missing');
  const args = parseArgs(request);
  const pod = podOf(args);
  return {
    containerId,
    ifName,
    netns: netns === '' ? undefined : netns,
    orchestrator: pod === undefined ? 'cni' : 'k8s',
    workload: pod === undefined ? containerId : `${pod.namespace}.${pod.name}`,
    pod,
    wantedAddress: wantedAddressOf(args),
    wantedMac: wantedMacOf(args),
  };
}

const knownArgs = new Set([
  'IgnoreUnknown',
  'IP',
  'MAC',
  'K8S_POD_NAMESPACE',
  'K8S_POD_NAME',
  'K8S_POD_INFRA_CONTAINER_ID',
  'K8S_POD_UID',
]);

function parseArgs({ program, args }: CniRequest): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of args.split(';').filter(text => text !== '')) {
    const [key = '', value, ...rest] = pair.split('=');
    if (value === undefined || rest.length > 0) {
      throw new CniError(cniCode.badEnvironment, `ARGS: invalid pair ${JSON.stringify(pair)}`);
    }
    pairs.set(key, value);
  }
  const unknown = [...pairs.keys()].filter(key => !knownArgs.has(key));
  const tolerant = program === 'calico' || ['1', 'true'].includes(pairs.get('IgnoreUnknown') ?? '');
  if (unknown.length > 0 && !tolerant) {
    throw new CniError(cniCode.badEnvironment, `ARGS: unknown args [${unknown.join(' ')}]`);
  }
  return pairs;
}

function podOf(args: ReadonlyMap<string, string>): Attachment['pod'] {
  const namespace = args.get('K8S_POD_NAMESPACE') ?? '';
  const name = args.get('K8S_POD_NAME') ?? '';
  // Podman sends a name only: that is no Kubernetes pod.
  if (namespace === '' || name === '') return undefined;
  for (const [key, value] of [
    ['K8S_POD_NAMESPACE', namespace],
    ['K8S_POD_NAME', name],
  ] as const) {
    if (!identifier.test(value))
      refuse('CNI_ARGS', `${key}=${JSON.stringify(value)} is not a Kubernetes name`);
  }
  return { namespace, name };
}

function wantedAddressOf(args: ReadonlyMap<string, string>): Ip | undefined {
  const text = args.get('IP') ?? '';
  if (text === '') return undefined;
  const ip = parseIp(text.replace(/\/(32|128)$/, ''));
  return ip ?? refuse('CNI_ARGS', `IP=${JSON.stringify(text)} is not an IP address`);
}

function wantedMacOf(args: ReadonlyMap<string, string>): string | undefined {
  const text = args.get('MAC') ?? '';
  if (text === '') return undefined;
  return canonicalMac(text) ?? refuse('CNI_ARGS', `MAC=${JSON.stringify(text)} is not a hardware address`);
}

/**
 * Name of the host's end of the link: the same for each sandbox of a pod, as Calico has it, so that a new
 * sandbox replaces what the old one left; 44 bits of SHA-1 keep others apart.
 */
export function hostInterfaceOf({ orchestrator, workload, containerId, ifName }: Attachment): string {
  const first = ifName === 'eth0' ? '' : `/${ifName}`;
  const text = orchestrator === 'k8s' ? `${workload}${first}` : `${containerId}/${ifName}`;
  return `cali${hexDigest('sha1', text).slice(0, 11)}`;
}

/**
 * What addresses are assigned to: one interface of one container, never a pod, so that the late DEL of an old
 * sandbox cannot free the address of the new one.
 */
export function handleOf(network: string, { containerId, ifName }: Attachment): string {
  return ifName === 'eth0' ? `${network}.${containerId}` : `${network}.${containerId}.${ifName}`;
}
