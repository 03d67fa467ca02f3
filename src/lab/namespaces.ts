import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { runChecked } from '../base/index.js';
import { FABRIC4_LENGTH, FABRIC6_LENGTH } from './plan.js';
import type { LabHost, LabPlan } from './plan.js';

const NETNS_DIR = '/run/netns';

export function netnsPath(netns: string): string {
  return `${NETNS_DIR}/${netns}`;
}

/** One `ip` process for many commands. Every word comes from the plan, whose names are checked. */
async function ipBatch(netns: string | undefined, commands: readonly string[]): Promise<void> {
  const inside = netns === undefined ? [] : ['-n', netns];
  await runChecked('ip', [...inside, '-batch', '-'], { input: `${commands.join('\n')}\n` });
}

/** Every namespace of the lab, workloads before the hosts they hang on, the fabric last. */
export function namespacesOf(plan: LabPlan): readonly string[] {
  return [
    ...plan.hosts.flatMap(host => host.workloads.map(workload => workload.netns)),
    ...plan.hosts.map(host => host.netns),
    plan.fabric.netns,
  ];
}

function hostCommands(host: LabHost, plan: LabPlan): readonly string[] {
  return [
    'link set lo up',
    `addr add ${host.ipv4}/${String(FABRIC4_LENGTH)} dev eth0`,
    // No duplicate-address detection: the plan is the only one who gives addresses here.
    `addr add ${host.ipv6}/${String(FABRIC6_LENGTH)} dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${plan.fabric.ipv4}`,
    `route add default via ${plan.fabric.ipv6}`,
  ];
}

/** Makes the namespaces and joins the hosts by a switch. All of it lives inside the lab's own namespaces. */
export async function buildNamespaces(plan: LabPlan): Promise<void> {
  await ipBatch(
    undefined,
    namespacesOf(plan).map(netns => `netns add ${netns}`),
  );
  await ipBatch(plan.fabric.netns, [
    'link set lo up',
    'link add fabric type bridge',
    `addr add ${plan.fabric.ipv4}/${String(FABRIC4_LENGTH)} dev fabric`,
    `addr add ${plan.fabric.ipv6}/${String(FABRIC6_LENGTH)} dev fabric nodad`,
    'link set fabric up',
    ...plan.hosts.flatMap(host => [
      `link add ${host.port} type veth peer name eth0 netns ${host.netns}`,
      `link set ${host.port} master fabric up`,
    ]),
  ]);
  for (const host of plan.hosts) {
    await ipBatch(host.netns, hostCommands(host, plan));
    for (const workload of host.workloads) await ipBatch(workload.netns, ['link set lo up']);
  }
}

/** Those of the lab's namespaces that exist. */
export function existingNamespaces(plan: LabPlan): readonly string[] {
  let present: Set<string>;
  try {
    present = new Set(readdirSync(NETNS_DIR));
  } catch {
    return [];
  }
  return namespacesOf(plan).filter(netns => present.has(netns));
}

/** Pids of all processes that live in one of the namespaces: they are the lab's by construction. */
export function processesIn(namespaces: readonly string[]): readonly number[] {
  const inodes = new Set(namespaces.map(netns => `net:[${String(statSync(netnsPath(netns)).ino)}]`));
  const pids = readdirSync('/proc').filter(name => /^[0-9]+$/.test(name));
  return pids
    .filter(pid => {
      try {
        return inodes.has(readlinkSync(`/proc/${pid}/ns/net`));
      } catch {
        return false; // ended meanwhile
      }
    })
    .map(Number);
}

export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  if (namespaces.length === 0) return;
  await ipBatch(
    undefined,
    namespaces.map(netns => `netns delete ${netns}`),
  );
}
