import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/index.js';
import { createCompiler } from '../../src/dataplane/nft/compile.js';
import { defaultNftConfig } from '../../src/dataplane/nft/config.js';
import { patchBetween, snapshotOf, transactionFrom, transactionOf } from '../../src/dataplane/nft/diff.js';
import type { Operation, Transaction } from '../../src/dataplane/nft/diff.js';
import type {
  Chain,
  Elements,
  ElementValue,
  NftSet,
  Rule,
  Ruleset,
  RulesetSnapshot,
} from '../../src/dataplane/nft/model.js';
import { renderTransaction } from '../../src/dataplane/nft/render.js';
import { createPolicyGraph } from '../../src/policy/index.js';
import { arbitraryBatches } from '../support/policy-arbitrary.js';
import { meaningOf } from '../support/ruleset-meaning.js';

function demand(holds: boolean, sentence: string): void {
  if (!holds) throw new Error(`the kernel would refuse: ${sentence}`);
}

/** Names that a rule refers to. */
function referencesOf({ tests, statement }: Rule): readonly string[] {
  return [
    ...tests.flatMap(each => ('set' in each ? [each.set] : [])),
    ...('chain' in statement ? [statement.chain] : []),
    ...('map' in statement ? [statement.map] : []),
    ...('counter' in statement ? [statement.counter] : []),
  ];
}

/** Follows operations as the kernel does (dataplane-nftables 3.2), and throws where that would refuse one. */
class StrictTable {
  readonly sets = new Map<string, NftSet>();
  readonly chains = new Map<string, Chain>();
  readonly elements = new Map<string, Map<string, ElementValue>>();
  readonly counters = new Set<string>();

  apply(transaction: Transaction): void {
    for (const operation of transaction) this.#follow(operation);
  }

  snapshot(): RulesetSnapshot {
    const chains = new Map([...this.chains].map(([name, chain]) => [name, snapshotOf(chain)] as const));
    return { sets: this.sets, chains, elements: this.elements, counters: this.counters };
  }

  #follow(operation: Operation): void {
    switch (operation.op) {
      case 'add-table':
        return;
      case 'delete-table':
        for (const all of [this.sets, this.chains, this.elements, this.counters]) all.clear();
        return;
      case 'add-counter':
        this.counters.add(operation.name);
        return;
      case 'delete-counter':
        demand(this.counters.delete(operation.name), `there is no counter ${operation.name}`);
        return;
      case 'add-set':
        demand(!this.sets.has(operation.set.name), `${operation.set.name} exists`);
        this.sets.set(operation.set.name, operation.set);
        this.elements.set(operation.set.name, new Map());
        return;
      case 'flush-set':
        this.#elementsOf(operation.set.name).clear();
        return;
      case 'delete-set':
        this.#elementsOf(operation.set.name);
        demand(!this.#isReferred(operation.set.name), `${operation.set.name} is in use`);
        this.sets.delete(operation.set.name);
        this.elements.delete(operation.set.name);
        return;
      case 'add-chain':
        demand(!this.chains.has(operation.name), `${operation.name} exists`);
        this.chains.set(operation.name, { ...operation, rules: [] });
        return;
      case 'flush-chain':
        this.chains.set(operation.name, { ...this.#chainOf(operation.name), rules: [] });
        return;
      case 'delete-chain':
        demand(this.#chainOf(operation.name).rules.length === 0, `${operation.name} has rules`);
        demand(!this.#isReferred(operation.name), `${operation.name} is in use`);
        this.chains.delete(operation.name);
        return;
      case 'add-rules':
        this.#addRules(operation.chain, operation.rules);
        return;
      case 'replace-rules':
        demand(
          snapshotOf(this.#chainOf(operation.chain)).fingerprints.join() === operation.former.join(),
          `${operation.chain} has other rules`,
        );
        this.#follow({ op: 'flush-chain', name: operation.chain });
        this.#addRules(operation.chain, operation.rules);
        return;
      case 'add-elements':
        this.#addElements(operation.set.name, operation.elements);
        return;
      case 'delete-elements':
        for (const key of operation.keys) {
          demand(this.#elementsOf(operation.set.name).delete(key), `${key} is not in ${operation.set.name}`);
        }
    }
  }

  #addRules(name: string, rules: readonly Rule[]): void {
    for (const reference of rules.flatMap(referencesOf)) {
      demand(
        this.chains.has(reference) || this.sets.has(reference) || this.counters.has(reference),
        `${name} refers to ${reference}, which is not there`,
      );
    }
    const chain = this.#chainOf(name);
    this.chains.set(name, { ...chain, rules: [...chain.rules, ...rules] });
  }

  #addElements(name: string, added: Elements): void {
    const elements = this.#elementsOf(name);
    for (const [key, value] of added) {
      demand(!elements.has(key), `${key} is in ${name} already`);
      if (value !== null && 'chain' in value) this.#chainOf(value.chain);
      elements.set(key, value);
    }
  }

  #elementsOf(name: string): Map<string, ElementValue> {
    demand(this.sets.has(name), `${name} is not there`);
    return this.elements.get(name) ?? new Map<string, ElementValue>();
  }

  #chainOf(name: string): Chain {
    const chain = this.chains.get(name);
    if (chain === undefined) throw new Error(`the kernel would refuse: ${name} is not there`);
    return chain;
  }

  #isReferred(name: string): boolean {
    const inRules = [...this.chains.values()].some(chain =>
      chain.rules.some(rule => referencesOf(rule).includes(name)),
    );
    const inElements = [...this.elements.values()].some(elements =>
      [...elements.values()].some(value => value !== null && 'chain' in value && value.chain === name),
    );
    return inRules || inElements;
  }
}

function differences(table: StrictTable, ruleset: Ruleset): readonly unknown[] {
  const { sets, chains, elements } = patchBetween(table.snapshot(), ruleset);
  return [...sets, ...chains, ...elements];
}

function compiler() {
  return createCompiler(defaultNftConfig, silentLogger);
}

describe('transactions on the way through random changes', () => {
  test('are never refused, and lead to the table that was asked for', () => {
    fc.assert(
      fc.property(arbitraryBatches(), batches => {
        const graph = createPolicyGraph('here');
        const compiled = compiler();
        const table = new StrictTable();
        table.apply(transactionFrom(undefined, compiled.ruleset()));
        compiled.takePatch();
        for (const batch of batches) {
          compiled.accept(graph.apply(batch));
          const transaction = transactionOf(compiled.takePatch(), compiled.ruleset());
          renderTransaction(transaction);
          table.apply(transaction);
          expect(differences(table, compiled.ruleset())).toStrictEqual([]);
        }
      }),
    );
  });

  test('lead to a table that means the same as one made afresh, to which a restart gets in one transaction', () => {
    fc.assert(
      fc.property(arbitraryBatches(), batches => {
        const [graph, compiled, table] = [createPolicyGraph('here'), compiler(), new StrictTable()];
        // The first state is no change: it makes the table more than its base.
        for (const batch of [[], ...batches]) compiled.accept(graph.apply(batch));
        const fresh = compiler();
        fresh.accept(createPolicyGraph('here').apply(batches.flat()));
        expect(meaningOf(compiled.ruleset())).toStrictEqual(meaningOf(fresh.ruleset()));

        table.apply(transactionFrom(undefined, compiled.ruleset()));
        const restart = transactionFrom(table.snapshot(), fresh.ruleset());
        expect(restart.map(({ op }) => op)).not.toContain('delete-table');
        table.apply(restart);
        expect(differences(table, fresh.ruleset())).toStrictEqual([]);
      }),
    );
  });

  test('from what another history has left lead to the same table, and a second one is empty', () => {
    fc.assert(
      fc.property(arbitraryBatches(), arbitraryBatches(), (before, after) => {
        const table = new StrictTable();
        for (const batches of [before, after]) {
          const compiled = compiler();
          const graph = createPolicyGraph('here');
          for (const batch of batches) compiled.accept(graph.apply(batch));
          table.apply(
            transactionFrom(table.sets.size === 0 ? undefined : table.snapshot(), compiled.ruleset()),
          );
          expect(differences(table, compiled.ruleset())).toStrictEqual([]);
          expect(transactionFrom(table.snapshot(), compiled.ruleset())).toStrictEqual([]);
        }
      }),
    );
  });
});
