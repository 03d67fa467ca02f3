import type { Clock, Logger } from '../base/index.js';
import { createNetlinkNftApplier, createNftApplier, createNftDataplane } from '../dataplane/index.js';
import type { AgentConfig } from './config.js';
import { FelixSettings } from './felix-config/index.js';
import type { LocalSettings } from './felix-config/index.js';
import { nftConfigFrom } from './start-kernel.js';

export interface CloseContext {
  readonly config: AgentConfig;
  readonly local: LocalSettings;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Closes every interface of workloads until an agent runs: for a host that boots, before it has a network. A table
 * that is there already stays as it is. Returns whether one was made.
 */
export async function closeHost({ config, local, clock, log }: CloseContext): Promise<boolean> {
  const settings = new FelixSettings({ local, node: config.nodeName, log });
  const applier = config.nftApplier === 'program' ? createNftApplier() : await createNetlinkNftApplier();
  try {
    if ((await applier.readBack()) !== undefined) return false;
    const nft = createNftDataplane({ applier, config: nftConfigFrom(settings.values), log, clock });
    await nft.start();
    await nft.stop();
    return true;
  } finally {
    applier.close?.();
  }
}
