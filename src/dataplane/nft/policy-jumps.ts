import type { PolicyId } from '../../policy/index.js';
import type { Chain, Rule } from './model.js';

/** What stands for a policy in a list that has one after the other. */
export interface PolicyPart {
  /** of the policy, to which the list jumps; undefined where its rules stand in the list itself */
  readonly chain: Chain | undefined;
  readonly rules: readonly Rule[];
}

interface Known {
  readonly source: object;
  readonly part: PolicyPart;
}

/** The policies of a list of jumps. It remembers what it was, as PortMap does: equal policies stay the same chains. */
export class PolicyJumps {
  #known: ReadonlyMap<PolicyId, Known> = new Map();

  /** `sourceOf` tells of what a policy's part is made: from the same object it is made in the same way each time. */
  compile<Source extends object>(
    policies: readonly PolicyId[],
    sourceOf: (id: PolicyId) => Source,
    make: (id: PolicyId, source: Source) => PolicyPart,
  ): { readonly chains: readonly Chain[]; readonly rules: readonly Rule[] } {
    const now = new Map<PolicyId, Known>();
    for (const id of policies) {
      const [known, source] = [this.#known.get(id), sourceOf(id)];
      now.set(id, known?.source === source ? known : { source, part: make(id, source) });
    }
    this.#known = now;
    const parts = [...now.values()].map(({ part }) => part);
    return {
      chains: parts.flatMap(({ chain }) => chain ?? []),
      rules: parts.flatMap(({ rules }) => rules),
    };
  }

  /** The chains are not in the table any more: what they look up may go. */
  forget(): void {
    this.#known = new Map();
  }
}
