import type { Clock, Logger } from '../base/index.js';
import type { ResourceClient } from '../datastore/index.js';
import type { Allocator } from '../ipam/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { EndpointId } from '../policy/index.js';
import type { AttachmentRecords } from './attachment-records.js';

/**
 * What the plugin works with: the parts of the agent it runs in. What client and allocator commit need not be on
 * the disk before `flush`.
 */
export interface CniParts {
  /** name of this node */
  readonly node: string;
  readonly client: ResourceClient;
  readonly allocator: Allocator;
  /** Resolves when all that client and allocator have committed is on the disk. */
  readonly flush: () => Promise<void>;
  readonly records: AttachmentRecords;
  /** the host's network; not closed here */
  readonly network: HostNetwork;
  /** Of links whose configuration says nothing; undefined: what the kernel takes. */
  readonly defaultMtu: () => number | undefined;
  /** Resolves when the endpoint, as of that revision or later, is in the kernel; rejects when aborted. */
  readonly waitUntilProgrammed: (
    endpointId: EndpointId,
    revision: number,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly log: Logger;
  readonly clock: Clock;
}
