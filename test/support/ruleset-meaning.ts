import { shortName } from '../../src/base/index.js';
import type { Ruleset, Rule, Test, Verdict } from '../../src/dataplane/nft/model.js';
import { testText } from '../../src/dataplane/nft/rule-text.js';

/**
 * What a table says whatever its chains and maps are called: each base chain by the text of all that it leads to.
 * Two tables that treat each packet alike rule by rule have the same. Sets count by name, because their names are
 * those of what they hold; unions of sets count by their members. Beside it how many chains and maps there are: none
 * may be left that nobody uses.
 */
export function meaningOf({ chains, sets, elements, counters }: Ruleset): unknown {
  const texts = new Map<string, string>();

  const remembered = (name: string, make: () => string): string => {
    const text = texts.get(name) ?? shortName('', make(), 20);
    texts.set(name, text);
    return text;
  };
  const verdict = (value: Verdict): string =>
    'chain' in value ? `${value.kind} ${chain(value.chain)}` : value.kind;
  const map = (name: string): string =>
    remembered(`map ${name}`, () =>
      JSON.stringify(
        [...(elements.get(name) ?? [])]
          .map(([key, value]) => `${key}: ${value ? verdict(value) : ''}`)
          .sort(),
      ),
    );
  const members = (name: string): readonly string[] => [...(elements.get(name)?.keys() ?? [])].sort();
  const set = (name: string): string =>
    /^u[46]-/.test(name) ? `u-${remembered(`set ${name}`, () => JSON.stringify(members(name)))}` : name;
  const test = (each: Test): string =>
    'set' in each ? testText({ ...each, set: set(each.set) }) : testText(each);
  const rule = ({ tests, statement, comment }: Rule): string => {
    const does =
      'chain' in statement
        ? verdict(statement)
        : 'map' in statement
          ? `${statement.key} ${map(statement.map)}`
          : JSON.stringify(statement);
    return JSON.stringify([tests.map(test), does, comment]);
  };
  const chain = (name: string): string =>
    remembered(`chain ${name}`, () => JSON.stringify(chains.get(name)?.rules.map(rule) ?? 'missing'));

  const base = [...chains.values()].filter(each => each.base !== undefined);
  const plain = [...sets.values()].filter(({ verdicts }) => !verdicts);
  const known = plain.map(({ name }) => [set(name), members(name)] as const);
  return {
    base: new Map(base.map(({ name, base: hook }) => [name, [hook, chain(name)]])),
    sets: known.sort(([a], [b]) => (a < b ? -1 : 1)),
    chains: chains.size,
    maps: sets.size - plain.length,
    counters: counters.size,
  };
}
