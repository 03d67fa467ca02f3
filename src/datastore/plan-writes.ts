import { CalicoError } from '../base/index.js';
import { identify, missingIdentifier } from '../resources/index.js';
import type { Resource } from '../resources/index.js';
import { codecOf, encodeResource } from './codec/codecs.js';
import { readyKey } from './codec/ready.js';
import { settingKey } from './codec/settings.js';
import type { PendingContent } from './pending-content.js';
import type { ResourceWrite } from './resource-client.js';

const clusterGuidKey = settingKey({ component: 'felix', name: 'ClusterGUID' });
const ipInIpKey = settingKey({ component: 'felix', name: 'IpInIpEnabled' });

/** Refuses a write whose resource cannot have a key, with the texts of calicoctl.md 3.5. */
export function checkIdentifiers({ verb, resource }: ResourceWrite): void {
  const missing = missingIdentifier(resource);
  if (missing !== undefined) {
    const name = resource.kind === 'node' && verb === 'delete' ? 'node' : missing;
    throw new CalicoError('invalid', `insufficient identifiers, missing '${name}'`);
  }
  if (resource.kind !== 'bgpPeer') return;
  const { scope, node = '' } = resource.metadata;
  if (scope === 'global' && node !== '') {
    throw new CalicoError('invalid', 'hostname should not be specified when BGP peer scope is global');
  }
}

/** The keys that have to be known before the write can be planned. */
export function keysOf({ verb, resource }: ResourceWrite): readonly string[] {
  const keys = codecOf(resource.kind).keys(resource.metadata);
  if (verb === 'delete') return keys;
  if (resource.kind === 'node') return [...keys, readyKey, clusterGuidKey];
  return resource.kind === 'ipPool' ? [...keys, ipInIpKey] : keys;
}

/** Does one write to the pending content, or throws what is wrong with it. */
export function planWrite(write: ResourceWrite, content: PendingContent, newGuid: () => string): void {
  const { verb, resource, tolerant = false } = write;
  const [first] = codecOf(resource.kind).keys(resource.metadata);
  const exists = content.get(first) !== undefined;
  if (verb === 'create' && exists) {
    if (tolerant) return;
    throw new CalicoError('already-exists', `resource already exists: ${keyIdentity(resource)}`);
  }
  if (verb === 'replace' && !exists) {
    throw new CalicoError('not-found', `resource does not exist: ${keyIdentity(resource)}`);
  }
  if (verb !== 'delete') {
    for (const [key, value] of encodeResource(resource)) content.set(key, value);
    planSideEffects(write, content, newGuid);
    return;
  }
  if (exists) removeResource(resource, content);
  else if (!tolerant) {
    throw new CalicoError('not-found', `resource does not exist: ${identify(resource)}`);
  }
}

/** calicoctl.md 3.3: what a resource brings with it. */
function planSideEffects(
  { verb, resource }: ResourceWrite,
  content: PendingContent,
  newGuid: () => string,
): void {
  if (resource.kind === 'ipPool' && resource.spec.ipip?.enabled === true) content.set(ipInIpKey, 'true');
  if (resource.kind !== 'node' || verb === 'replace') return;
  if (content.get(readyKey) === undefined) content.set(readyKey, 'true');
  if (content.get(clusterGuidKey) === undefined) content.set(clusterGuidKey, newGuid());
}

/** A node takes all that felix keeps of the host with it; its peers stay. */
function removeResource(resource: Resource, content: PendingContent): void {
  for (const key of codecOf(resource.kind).keys(resource.metadata)) content.set(key, undefined);
  if (resource.kind === 'node') content.removeSubtree(resource.metadata.name);
}

/** The original writes a profile key by key, and complains of the first. */
function keyIdentity(resource: Resource): string {
  return resource.kind === 'profile' ? `ProfileTags(name=${resource.metadata.name})` : identify(resource);
}
