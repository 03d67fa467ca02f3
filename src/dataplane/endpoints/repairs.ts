import type { Logger } from '../../base/index.js';
import type { OnRepair, RepairKind } from '../repair.js';

/** What was changed in the kernel, and how often. */
export interface Changed {
  readonly kind: RepairKind;
  readonly count: number;
}

/** Tells changes that are repairs, of what was right before and somebody else has changed, from our own. */
export class Repairs {
  readonly #parts: { readonly log: Logger; readonly onRepair?: OnRepair };
  #areRepairs = false;

  constructor(parts: { readonly log: Logger; readonly onRepair?: OnRepair }) {
    this.#parts = parts;
  }

  /** Whatever is noted while `work` runs is a repair. */
  during(work: () => void): void {
    this.#areRepairs = true;
    try {
      work();
    } finally {
      this.#areRepairs = false;
    }
  }

  /** `of` is the interface or destination that it is about. */
  note(of: string, changed: Changed | undefined): void {
    if (!this.#areRepairs || changed === undefined || changed.count === 0) return;
    const { kind, count } = changed;
    for (let n = 0; n < count; n++) this.#parts.onRepair?.(kind);
    this.#parts.log.info('somebody else changed what is ours; it was repaired', { kind, of });
  }
}
