import { formatIp, parseCidr, parseIp, widthOf } from '../../net/index.js';
import type { Ip, IpVersion } from '../../net/index.js';
import type { SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import { addressSetName } from './names.js';

const families = [4, 6] as const;

/** A host or network as a member of an IP set: its address, and in the set for which length it is. */
export interface Member {
  readonly version: IpVersion;
  readonly length: number;
  readonly key: string;
}

/** Takes a canonical address or network. */
export function memberOf(text: string): Member {
  const parsed: (Ip & { readonly length?: number }) | undefined = parseIp(text) ?? parseCidr(text);
  if (parsed === undefined) throw new Error(`not an address or network: ${JSON.stringify(text)}`);
  const { version, length = widthOf(version) } = parsed;
  const address = formatIp(parsed);
  // Whoever told it has the text already: a second one for each member would be most of its memory.
  return { version, length, key: address === text ? text : address };
}

/**
 * One IP set as kernel sets: hosts in one hash set a family, networks in one more for each prefix length. A
 * length that was there once stays, so that members that come and go touch no chain.
 */
export class PrefixSets {
  readonly #desired: DesiredRuleset;
  readonly #id: SetId;
  /** by length: the name of the kernel set */
  readonly #names: Readonly<Record<IpVersion, Map<number, string>>> = { 4: new Map(), 6: new Map() };
  readonly #lengths: Readonly<Record<IpVersion, number[]>> = { 4: [], 6: [] };
  #size = 0;

  constructor(desired: DesiredRuleset, id: SetId) {
    this.#desired = desired;
    this.#id = id;
    for (const version of families) this.addLength(version, widthOf(version));
  }

  /** Longest first; the full length is always there. */
  lengths(version: IpVersion): readonly number[] {
    return this.#lengths[version];
  }

  /** Members of all lengths and both families. */
  get size(): number {
    return this.#size;
  }

  /** True when there was none for members of that length. */
  addLength(version: IpVersion, length: number): boolean {
    if (this.#names[version].has(length)) return false;
    const name = addressSetName(this.#id, version, length);
    this.#names[version].set(length, name);
    this.#lengths[version].push(length);
    this.#lengths[version].sort((a, b) => b - a);
    this.#desired.putSet(`set ${this.#id}`, {
      name,
      key: [version === 4 ? 'ipv4_addr' : 'ipv6_addr'],
      verdicts: false,
    });
    return true;
  }

  /** Of all lengths and both families. */
  *members(): Generator<Member> {
    for (const version of families) {
      for (const [length, name] of this.#names[version]) {
        for (const key of this.#desired.membersOf(name).keys()) yield { version, length, key };
      }
    }
  }

  /** True when it was not there. */
  add(member: Member): boolean {
    const { version, length, key } = member;
    this.addLength(version, length);
    if (!this.#desired.addMember(this.#nameOf(member), key)) return false;
    this.#size += 1;
    return true;
  }

  /** True when it was there. */
  delete(member: Member): boolean {
    if (!this.#desired.removeMember(this.#nameOf(member), member.key)) return false;
    this.#size -= 1;
    return true;
  }

  /** Ends all of the kernel sets. */
  remove(): void {
    for (const version of families)
      for (const name of this.#names[version].values()) this.#desired.removeSet(name);
  }

  #nameOf({ version, length }: Member): string {
    return this.#names[version].get(length) ?? '';
  }
}
