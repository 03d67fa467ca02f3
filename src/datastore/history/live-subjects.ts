import { readyKey } from '../codec/ready.js';
import { subjectOf } from './subject.js';
import type { Subject } from './subject.js';

/** Keys that a way back to the configuration of another day must not touch. */
export interface LiveKeys {
  /** Facts of today, kept by their owners: an endpoint lives as long as its container, a node as its host. */
  readonly live: ReadonlySet<string>;
  /** What says that this is a cluster, and which: it is never undone. */
  readonly untouchable: ReadonlySet<string>;
}

const clusterSettings: ReadonlySet<string> = new Set(['ClusterGUID']);
/** Written by the agent of the host, not by an operator. */
const settingsOfAgents: ReadonlySet<string> = new Set(['IpInIpTunnelAddr']);

/**
 * Sorts keys that are not as they were. With a node that was deleted goes all that belongs to its host: settings
 * and host endpoints of a host that is gone would only look like a node.
 */
export function liveSubjects<T extends { readonly key: string; readonly before: string | undefined }>(
  keys: readonly T[],
  valueThen: (key: T) => string | undefined,
): LiveKeys {
  const subjects = keys.map(each => ({ each, subject: subjectOf(each.key) }));
  const gone = new Set(
    subjects.flatMap(({ each, subject }) =>
      isNode(subject) && each.before === undefined && valueThen(each) !== undefined ? [hostOf(subject)] : [],
    ),
  );
  const live = new Set<string>();
  const untouchable = new Set<string>();
  for (const { each, subject } of subjects) {
    if (isOfTheCluster(subject)) untouchable.add(each.key);
    else if (isLive(subject) || gone.has(hostOf(subject))) live.add(each.key);
  }
  return { live, untouchable };
}

function isNode(subject: Subject): boolean {
  return subject.kind === 'resource' && subject.resourceKind === 'node';
}

function isOfTheCluster(subject: Subject): boolean {
  if (subject.kind === 'key') return subject.key === readyKey;
  return subject.kind === 'setting' && clusterSettings.has(subject.setting.name);
}

function isLive(subject: Subject): boolean {
  switch (subject.kind) {
    case 'resource':
      return subject.resourceKind === 'node' || subject.resourceKind === 'workloadEndpoint';
    case 'setting':
      return subject.setting.node !== undefined && settingsOfAgents.has(subject.setting.name);
    case 'key':
      return true;
  }
}

/** The host that a subject belongs to, and goes with. */
function hostOf(subject: Subject): string | undefined {
  if (subject.kind === 'setting') return subject.setting.node;
  if (subject.kind === 'key') return undefined;
  const { metadata } = subject;
  if (subject.resourceKind === 'node' && 'name' in metadata) return metadata.name;
  return subject.resourceKind === 'hostEndpoint' && 'node' in metadata ? metadata.node : undefined;
}
