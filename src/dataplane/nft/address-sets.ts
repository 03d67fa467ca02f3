import { formatIp, parseCidr, parseIp, widthOf } from '../../net/index.js';
import type { Ip, IpVersion } from '../../net/index.js';
import type { SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import type { NftSet } from './model.js';
import { addressSetName, portSetName } from './names.js';

/** A member in the kernel: the network's address, in the set for its length. */
interface Place {
  readonly version: IpVersion;
  readonly length: number;
  readonly key: string;
}

function placeOf(member: string): Place {
  const parsed: (Ip & { readonly length?: number }) | undefined = parseIp(member) ?? parseCidr(member);
  if (parsed === undefined) throw new Error(`not an address or network: ${JSON.stringify(member)}`);
  const { version, length = widthOf(version) } = parsed;
  return { version, length, key: formatIp(parsed) };
}

/** Of `ADDRESS . PROTOCOL . PORT`. */
function familyOf(member: string): IpVersion {
  return member.includes(':') ? 6 : 4;
}

function ownerOf(id: SetId): string {
  return `set ${id}`;
}

/**
 * IP sets as kernel sets: hosts in one hash set a family, networks in one more for each prefix length. A
 * length that was there once stays until the set goes, so that members that come and go touch no chain.
 */
export class AddressSets {
  readonly #desired: DesiredRuleset;
  readonly #lengths = new Map<SetId, Readonly<Record<IpVersion, number[]>>>();
  /** sets whose members are addresses with protocol and port */
  readonly #ofPorts = new Set<SetId>();

  constructor(desired: DesiredRuleset) {
    this.#desired = desired;
  }

  /** Longest first; the full length is always there. */
  lengthsOf(id: SetId, version: IpVersion): readonly number[] {
    return this.#lengths.get(id)?.[version] ?? [widthOf(version)];
  }

  /** As `create` takes it. */
  contentOf(id: SetId): { readonly content?: 'ports'; readonly members: ReadonlySet<string> } {
    const elementsOf = (set: string): readonly string[] => [
      ...(this.#desired.ruleset.elements.get(set)?.keys() ?? []),
    ];
    const families = [4, 6] as const;
    if (this.#ofPorts.has(id)) {
      const members = families.flatMap(version => elementsOf(portSetName(id, version)));
      return { content: 'ports', members: new Set(members) };
    }
    const members = families.flatMap(version =>
      this.lengthsOf(id, version).flatMap(length =>
        elementsOf(addressSetName(id, version, length)).map(address => `${address}/${String(length)}`),
      ),
    );
    return { members: new Set(members) };
  }

  /** True as for `change`. */
  create(id: SetId, members: Iterable<string>, content?: 'ports'): boolean {
    if (content === 'ports') this.#createPorts(id);
    if (this.#ofPorts.has(id)) return this.change(id, members, []);
    if (!this.#lengths.has(id)) {
      this.#lengths.set(id, { 4: [], 6: [] });
      for (const version of [4, 6] as const) this.#addLength(id, version, widthOf(version));
    }
    return this.change(id, members, []);
  }

  /** True when a prefix length is new, so that rules that use the set look up one more kernel set. */
  change(id: SetId, added: Iterable<string>, removed: Iterable<string>): boolean {
    if (this.#ofPorts.has(id)) {
      for (const member of removed) this.#desired.removeMembers(portSetName(id, familyOf(member)), [member]);
      for (const member of added) this.#desired.addMembers(portSetName(id, familyOf(member)), [member]);
      return false;
    }
    let grown = false;
    for (const member of removed) {
      const { version, length, key } = placeOf(member);
      this.#desired.removeMembers(addressSetName(id, version, length), [key]);
    }
    for (const member of added) {
      const { version, length, key } = placeOf(member);
      if (!this.lengthsOf(id, version).includes(length)) {
        this.#addLength(id, version, length);
        grown = true;
      }
      this.#desired.addMembers(addressSetName(id, version, length), [key]);
    }
    return grown;
  }

  remove(id: SetId): void {
    if (this.#ofPorts.delete(id)) {
      for (const version of [4, 6] as const) {
        this.#desired.removeSet(ownerOf(id), portSetName(id, version));
      }
      return;
    }
    for (const version of [4, 6] as const) {
      for (const length of this.lengthsOf(id, version)) {
        this.#desired.removeSet(ownerOf(id), addressSetName(id, version, length));
      }
    }
    this.#lengths.delete(id);
  }

  #createPorts(id: SetId): void {
    this.#ofPorts.add(id);
    for (const version of [4, 6] as const) {
      this.#desired.putSet(ownerOf(id), {
        name: portSetName(id, version),
        key: [version === 4 ? 'ipv4_addr' : 'ipv6_addr', 'inet_proto', 'inet_service'],
        verdicts: false,
      });
    }
  }

  #addLength(id: SetId, version: IpVersion, length: number): void {
    const lengths = this.#lengths.get(id)?.[version];
    if (lengths === undefined) throw new Error(`set ${id} changed before it was created`);
    lengths.push(length);
    lengths.sort((a, b) => b - a);
    const set: NftSet = {
      name: addressSetName(id, version, length),
      key: [version === 4 ? 'ipv4_addr' : 'ipv6_addr'],
      verdicts: false,
    };
    this.#desired.putSet(ownerOf(id), set);
  }
}
