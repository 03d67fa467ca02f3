import type { ActiveRules, DataplaneUpdate, LocalEndpoint, SetId } from '../../policy/index.js';
import type { ObjectProblem } from '../problem.js';
import { setsOf } from './sets-of-rules.js';

/**
 * Brings the kernel to what it has with these updates on top, in one transaction. False: it refused, and then
 * nothing has changed.
 */
export type Attempt = (updates: readonly DataplaneUpdate[]) => Promise<boolean>;

const nothing: ActiveRules = {
  ingress: [{ action: 'deny', match: {} }],
  egress: [{ action: 'deny', match: {} }],
};

/** The object that an update is about: `policy NAME`. */
function objectOf(update: DataplaneUpdate): string {
  return update.kind === 'pools-updated' ? 'pools' : `${update.kind.split('-')[0] ?? ''} ${update.id}`;
}

function policiesAndProfiles({ endpoint, tiers, stages = {} }: LocalEndpoint): readonly DataplaneUpdate[] {
  const all = [tiers, ...Object.values(stages)].flat();
  const policies = new Set(all.flatMap(({ ingress, egress }) => [...ingress, ...egress]));
  return [
    ...[...policies].map(id => ({ kind: 'policy-updated', id, rules: nothing }) as const),
    ...endpoint.profiles.map(id => ({ kind: 'profile-updated', id, rules: nothing }) as const),
  ];
}

/**
 * Finds what the kernel refuses. Of updates that it does not take as one, it tries the halves in order, down to
 * single ones; each of those is replaced by what is certain to be closed, and the rest is in force. Every
 * part of a batch is sound on its own, because the graph orders updates so that none needs a later one.
 */
export class Isolation {
  /** sets that could not be created: rules that look them up deny everything */
  readonly #brokenSets = new Set<SetId>();
  readonly #problems = new Map<string, string>();

  /** Objects that are not in force as they should be, each with what stands in for it. */
  get problems(): readonly ObjectProblem[] {
    return [...this.#problems].map(([object, instead]) => ({
      object,
      problem: `the kernel refuses it; ${instead}`,
    }));
  }

  /** The updates as far as sets allow that the kernel did not take; what comes anew is given a new chance. */
  admit(updates: readonly DataplaneUpdate[]): readonly DataplaneUpdate[] {
    return updates.flatMap(update => {
      this.#problems.delete(objectOf(update));
      if (update.kind === 'set-changed' && this.#brokenSets.has(update.id)) return [];
      if (update.kind === 'set-removed') this.#brokenSets.delete(update.id);
      return [this.#withoutBrokenSets(update)];
    });
  }

  /** Applies all that the kernel takes, and closes what it does not. */
  async apply(updates: readonly DataplaneUpdate[], attempt: Attempt): Promise<void> {
    const work = updates.map(update => this.#withoutBrokenSets(update));
    const [only] = work;
    if (only === undefined || (await attempt(work))) return;
    if (work.length === 1) {
      await this.#close(only, attempt);
      return;
    }
    const middle = Math.ceil(work.length / 2);
    await this.apply(updates.slice(0, middle), attempt);
    await this.apply(updates.slice(middle), attempt);
  }

  #withoutBrokenSets(update: DataplaneUpdate): DataplaneUpdate {
    if (update.kind !== 'policy-updated' && update.kind !== 'profile-updated') return update;
    if (!setsOf(update.rules).some(id => this.#brokenSets.has(id))) return update;
    this.#problems.set(objectOf(update), 'it denies everything, because a set of addresses is missing');
    return { ...update, rules: nothing };
  }

  async #close(update: DataplaneUpdate, attempt: Attempt): Promise<void> {
    const note = (about: DataplaneUpdate, instead: string): void => {
      this.#problems.set(objectOf(about), instead);
    };
    switch (update.kind) {
      case 'policy-updated':
      case 'profile-updated':
        note(update, 'it denies everything');
        await attempt([{ ...update, rules: nothing }]);
        return;
      case 'set-created':
        note(update, 'what looks it up denies everything');
        this.#brokenSets.add(update.id);
        await attempt([{ ...update, members: new Set() }]);
        return;
      case 'endpoint-updated':
        // It is seldom the endpoint's own fault: it may be the first that uses a policy.
        for (const closed of policiesAndProfiles(update.local)) {
          if (!(await attempt([closed, update]))) continue;
          note(closed, 'it denies everything');
          return;
        }
        note(update, 'its interface is closed');
        await attempt([{ kind: 'endpoint-removed', id: update.id }]);
        return;
      case 'set-changed':
      case 'set-removed':
      case 'policy-removed':
      case 'profile-removed':
      case 'endpoint-removed':
      case 'pools-updated':
        note(update, 'what was there before stays');
    }
  }
}
