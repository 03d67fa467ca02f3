import { isCalicoError } from '../../base/index.js';
import type { CalicoError } from '../../base/index.js';
import type { Resource } from '../../resources/index.js';

/** Resources in one transaction: as many as a small etcd takes when each has three keys. */
const PART = 40;

/** How far a write in several transactions came; `failure` is what stopped it. */
export interface PartialWrite {
  readonly done: number;
  readonly failure?: CalicoError;
}

/**
 * Writes resources in their order in several transactions. A part that is too large is halved; one that is
 * refused is written one by one, so that all before the first mistake are done and none behind it.
 */
export async function writeInParts(
  resources: readonly Resource[],
  {
    write,
    progress,
  }: {
    readonly write: (part: readonly Resource[]) => Promise<void>;
    readonly progress: (done: number) => void;
  },
): Promise<PartialWrite> {
  let done = 0;
  let size = PART;
  while (done < resources.length) {
    const part = resources.slice(done, done + size);
    try {
      await write(part);
      done += part.length;
      progress(done);
    } catch (error) {
      if (!isCalicoError(error)) throw error;
      if (part.length === 1) return { done, failure: error };
      size = isCalicoError(error, 'exhausted') ? Math.ceil(part.length / 2) : 1;
    }
  }
  return { done };
}
