import type { Logger } from '../../base/index.js';
import { widthOf } from '../../net/index.js';
import type { IpVersion } from '../../net/index.js';
import type { SetId } from '../../policy/index.js';
import type { DesiredRuleset } from './desired-ruleset.js';
import { portSetName } from './names.js';
import { memberOf, PrefixSets } from './prefix-sets.js';
import { UnionSets } from './union-sets.js';

const families = [4, 6] as const;

/** Of `ADDRESS . PROTOCOL . PORT`. */
function familyOf(member: string): IpVersion {
  return member.includes(':') ? 6 : 4;
}

/** IP sets as kernel sets, each in the table while a rule looks it up; and unions of them. */
export class AddressSets {
  readonly #desired: DesiredRuleset;
  readonly #sets = new Map<SetId, PrefixSets>();
  /** sets whose members are addresses with protocol and port; by family the name of the kernel set */
  readonly #ofPorts = new Map<SetId, Readonly<Record<IpVersion, string>>>();
  readonly unions: UnionSets;

  constructor(desired: DesiredRuleset, log: Logger) {
    this.#desired = desired;
    this.unions = new UnionSets({ desired, part: id => this.#sets.get(id), log });
  }

  /** Of a set or union: longest first; the full length is always there. */
  lengthsOf(id: SetId, version: IpVersion): readonly number[] {
    return this.#sets.get(id)?.lengths(version) ?? this.unions.lengthsOf(id, version) ?? [widthOf(version)];
  }

  /** As `create` takes it. */
  contentOf(id: SetId): { readonly content?: 'ports'; readonly members: ReadonlySet<string> } {
    const names = this.#ofPorts.get(id);
    if (names !== undefined) {
      const members = families.flatMap(version => [...this.#desired.membersOf(names[version]).keys()]);
      return { content: 'ports', members: new Set(members) };
    }
    const members = new Set<string>();
    for (const { key, length } of this.#sets.get(id)?.members() ?? [])
      members.add(`${key}/${String(length)}`);
    return { members };
  }

  /** True as for `change`. */
  create(id: SetId, members: Iterable<string>, content?: 'ports'): boolean {
    if (content === 'ports') this.#createPorts(id);
    else if (!this.#sets.has(id)) this.#sets.set(id, new PrefixSets(this.#desired, id));
    return this.change(id, members, []);
  }

  /** True when a prefix length is new, so that rules that use the set look up one more kernel set. */
  change(id: SetId, added: Iterable<string>, removed: Iterable<string>): boolean {
    const names = this.#ofPorts.get(id);
    if (names !== undefined) {
      for (const member of removed) this.#desired.removeMember(names[familyOf(member)], member);
      for (const member of added) this.#desired.addMember(names[familyOf(member)], member);
      return false;
    }
    const sets = this.#sets.get(id);
    if (sets === undefined) throw new Error(`set ${id} changed before it was created`);
    let grown = false;
    for (const text of removed) {
      const member = memberOf(text);
      if (sets.delete(member)) this.unions.removed(id, member);
    }
    for (const text of added) {
      const member = memberOf(text);
      grown = sets.addLength(member.version, member.length) || grown;
      if (sets.add(member)) this.unions.added(id, member);
    }
    return grown;
  }

  remove(id: SetId): void {
    const names = this.#ofPorts.get(id);
    for (const version of families) if (names !== undefined) this.#desired.removeSet(names[version]);
    this.#ofPorts.delete(id);
    const sets = this.#sets.get(id);
    for (const member of sets?.members() ?? []) this.unions.removed(id, member);
    sets?.remove();
    this.#sets.delete(id);
  }

  /** Call when chains have changed: brings the sets into the table that their rules look up, and takes out others. */
  settle(): void {
    this.unions.settle(this.#desired.settleSets());
  }

  #createPorts(id: SetId): void {
    if (this.#ofPorts.has(id)) return;
    const names = { 4: portSetName(id, 4), 6: portSetName(id, 6) };
    this.#ofPorts.set(id, names);
    for (const version of families) {
      this.#desired.putSet(`set ${id}`, {
        name: names[version],
        key: [version === 4 ? 'ipv4_addr' : 'ipv6_addr', 'inet_proto', 'inet_service'],
        verdicts: false,
      });
    }
  }
}
