import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Store } from '../../../src/datastore/index.js';
import type { TestNet } from '../../support/netns.js';

/**
 * Everything that attachments have in the kernel of the namespace `host`, in the store, and in the records of
 * the agent, but for blocks, which stay with their node.
 */
export async function remains(of: {
  readonly net: TestNet;
  readonly store: Store;
  /** CALICO_RUN_DIR of the agent */
  readonly runDir: string;
}): Promise<readonly string[]> {
  const onHost = (await of.net.ipJson('host', 'link')).map(({ ifname }) => String(ifname));
  const keys = (await of.store.list('/calico/')).entries.map(({ key }) => key);
  const recorded = await readdir(join(of.runDir, 'cni-attachments'));
  return [
    ...onHost.filter(name => name.startsWith('cali')),
    ...keys.filter(key => key.includes('/workload/') || key.includes('/ipam/v2/handle/')),
    ...recorded.filter(name => !name.startsWith('.')),
  ];
}
