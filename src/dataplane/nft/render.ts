import type { Operation, Transaction } from './diff.js';
import type { BaseChain, ElementKey, Elements, NftSet } from './model.js';
import { tableName } from './names.js';
import { ruleText, verdictText } from './rule-text.js';
import { keyText, nameText, numberText } from './text.js';

const table = `inet ${tableName}`;

/** Elements a command: a netlink attribute holds 65,535 bytes, and nft's parser likes short lines. */
const chunkSize = 1000;

function chunks<T>(items: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / chunkSize);
  return Array.from({ length: count }, (_, index) => items.slice(index * chunkSize, (index + 1) * chunkSize));
}

function place(set: NftSet): string {
  return `${set.verdicts ? 'map' : 'set'} ${table} ${nameText(set.name)}`;
}

function definition(set: NftSet): string {
  const type = `type ${set.key.join(' . ')}${set.verdicts ? ' : verdict' : ''};`;
  const size = set.size === undefined ? '' : ` size ${numberText(set.size, 0xffff_ffff)};`;
  return `{ ${type}${set.intervals === true ? ' flags interval;' : ''}${size} }`;
}

function elementLines(verb: string, set: NftSet, items: readonly string[]): readonly string[] {
  return chunks(items).map(chunk => `${verb} element ${table} ${nameText(set.name)} { ${chunk.join(', ')} }`);
}

function elementTexts(set: NftSet, elements: Elements): readonly string[] {
  return [...elements].map(([key, value]) =>
    value === null ? keyText(set, key) : `${keyText(set, key)} : ${verdictText(value)}`,
  );
}

function keyTexts(set: NftSet, keys: readonly ElementKey[]): readonly string[] {
  return keys.map(key => keyText(set, key));
}

function hookText(base: BaseChain): string {
  return `{ type ${base.type} hook ${base.hook} priority ${String(base.priority)}; policy accept; }`;
}

type Renderers = {
  readonly [Op in Operation['op']]: (operation: Extract<Operation, { op: Op }>) => readonly string[];
};

const renderers: Renderers = {
  'add-table': () => [`add table ${table}`],
  'delete-table': () => [`delete table ${table}`],
  'add-counter': ({ name }) => [`add counter ${table} ${nameText(name)}`],
  'delete-counter': ({ name }) => [`delete counter ${table} ${nameText(name)}`],
  'add-set': ({ set }) => [`add ${place(set)} ${definition(set)}`],
  'flush-set': ({ set }) => [`flush ${place(set)}`],
  'delete-set': ({ set }) => [`delete ${place(set)}`],
  'add-chain': ({ name, base }) => [
    `add chain ${table} ${nameText(name)}${base === undefined ? '' : ` ${hookText(base)}`}`,
  ],
  'flush-chain': ({ name }) => [`flush chain ${table} ${nameText(name)}`],
  'delete-chain': ({ name }) => [`delete chain ${table} ${nameText(name)}`],
  'add-rules': ({ chain, rules }) =>
    rules.map(rule => `add rule ${table} ${nameText(chain)} ${ruleText(rule)}`),
  'replace-rules': ({ chain, rules }) => [
    ...lines({ op: 'flush-chain', name: chain }),
    ...lines({ op: 'add-rules', chain, rules }),
  ],
  'add-elements': ({ set, elements }) => elementLines('add', set, elementTexts(set, elements)),
  'delete-elements': ({ set, keys }) => elementLines('delete', set, keyTexts(set, keys)),
};

function lines(operation: Operation): readonly string[] {
  // The table's type ties each entry to its operation; the compiler cannot follow that for a variable one.
  return (renderers[operation.op] as (operation: Operation) => readonly string[])(operation);
}

/** The transaction as text for `nft -f -`, which commits it as one. */
export function renderTransaction(transaction: Transaction): string {
  return transaction
    .flatMap(lines)
    .map(line => `${line}\n`)
    .join('');
}
