import { dropFor } from './drops.js';
import type { Chain, Elements, NftSet, Rule, Verdict } from './model.js';
import { contentName, portMapName } from './names.js';
import type { LabelledRule } from './policy-rules.js';
import type { PortIndex } from './port-index.js';
import { makeRule } from './rule-text.js';

/** Makes kernel rules of rules that stand at some place in a list, always of the same at one place. */
export type RenderAt = (rules: readonly LabelledRule[], at: string) => readonly Rule[];

interface Bucket {
  /** what it was made of */
  readonly candidates: readonly LabelledRule[];
  readonly chain: Chain;
  readonly goal: Verdict;
}

const end = makeRule([], dropFor('no-rule-matched'));

const smallestCapacity = 16;

/** Room for growth, so that a port more does not need another map; and not much more than is used. */
function capacityFor(count: number, former: number): number {
  if (count <= former && count * 4 >= former) return former;
  return Math.max(smallestCapacity, 2 ** Math.ceil(Math.log2(count)));
}

function sameRules(a: readonly LabelledRule[], b: readonly LabelledRule[]): boolean {
  return a.length === b.length && a.every((rule, index) => rule === b[index]);
}

/**
 * The port map of a list and the chains it leads to. It remembers what it was: equal buckets stay the same chains,
 * and the map keeps its name as long as there is room in it, so that only what differs has to be told.
 */
export class PortMap {
  #capacity = 0;
  #buckets: ReadonlyMap<string, Bucket> = new Map();

  /** The chains of the buckets, and the map of the list with that name. Equal rules must render alike each time. */
  compile(
    list: string,
    index: PortIndex,
    render: RenderAt,
  ): { readonly chains: readonly Chain[]; readonly map: NftSet; readonly elements: Elements } {
    const former = this.#buckets;
    const buckets = new Map<string, Bucket>();
    for (const [key, candidates] of index.candidates) {
      const known = former.get(key);
      const isSame = known !== undefined && sameRules(known.candidates, candidates);
      buckets.set(
        key,
        isSame ? known : { candidates, ...bucketOf([...render(index.bucketOf(key), key), end]) },
      );
    }
    this.#buckets = buckets;
    this.#capacity = capacityFor(buckets.size, this.#capacity);
    const map: NftSet = {
      name: portMapName(list, this.#capacity),
      key: ['inet_proto', 'inet_service'],
      verdicts: true,
      size: this.#capacity,
    };
    const chains = new Map([...buckets.values()].map(({ chain }) => [chain.name, chain]));
    return {
      chains: [...chains.values()],
      map,
      elements: new Map([...buckets].map(([key, { goal }]) => [key, goal])),
    };
  }

  /** The buckets are not in the table any more: what they look up may go. */
  forget(): void {
    this.#buckets = new Map();
  }
}

function bucketOf(rules: readonly Rule[]): Pick<Bucket, 'chain' | 'goal'> {
  const name = contentName('b-', rules.map(rule => rule.fingerprint).join());
  return { chain: { name, rules }, goal: { kind: 'goto', chain: name } };
}
