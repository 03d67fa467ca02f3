import {
  addChain,
  addCounter,
  addElements,
  addRule,
  addSet,
  addTable,
  deleteChain,
  deleteCounter,
  deleteElements,
  deleteSet,
  deleteTable,
  elementPlace,
  flushChain,
  flushElements,
} from '../../../netlink/index.js';
import type { NftElement, Request } from '../../../netlink/index.js';
import { parseCidr, widthOf } from '../../../net/index.js';
import type { Operation } from '../diff.js';
import type { ElementKey, Elements, NftSet, Rule } from '../model.js';
import { tableName } from '../names.js';
import { ruleComment, ruleText } from '../rule-text.js';
import { keyText, nameText } from '../text.js';
import type { SetNumbers } from './anonymous-set.js';
import { intervalElements } from './intervals.js';
import type { Interval } from './intervals.js';
import { addressBytes, keyBytes, keyTypeOf } from './key-bytes.js';
import { nftVerdict, ruleProgram } from './rule-program.js';

/** A request of a batch, and what to say when it was refused: `offset` is the kernel's hint. */
export interface LabelledRequest {
  readonly request: Request;
  readonly describe: (offset: number | undefined) => string;
}

function labelled(request: Request, description: string): readonly LabelledRequest[] {
  return [{ request, describe: () => description }];
}

/** The network's addresses; the last has all bits behind the prefix set. */
function intervalOf(set: NftSet, key: ElementKey): Interval {
  keyText(set, key);
  const net = parseCidr(key);
  if (net === undefined) throw new Error(`not a network: ${JSON.stringify(key)}`);
  const last = net.bits | ((1n << BigInt(widthOf(net.version) - net.length)) - 1n);
  return { first: addressBytes(net), last: addressBytes({ version: net.version, bits: last }) };
}

/** Elements with the keys that they stand for, in the order in which they are sent. */
interface KeyedElements {
  readonly elements: readonly NftElement[];
  readonly keyOf: (place: number) => string | undefined;
}

function keyedElements(set: NftSet, entries: Elements): KeyedElements {
  const keys = [...entries.keys()];
  if (set.intervals === true) {
    const intervals = keys.map(key => intervalOf(set, key)).sort((a, b) => Buffer.compare(a.first, b.first));
    return { elements: intervalElements(intervals), keyOf: () => undefined };
  }
  const elements = [...entries].map(([key, value]) => ({
    key: keyBytes(set, key),
    verdict: value === null ? undefined : nftVerdict(value),
  }));
  return { elements, keyOf: place => keys[place] };
}

function labelledElements(
  verb: string,
  set: NftSet,
  { elements, keyOf }: KeyedElements,
  requestsOf: (elements: readonly NftElement[]) => readonly Request[],
): readonly LabelledRequest[] {
  let sent = 0;
  return requestsOf(elements).map((request, index, all) => {
    const start = sent;
    sent += Math.ceil(elements.length / all.length);
    return {
      request,
      describe: offset => {
        const place = offset === undefined ? undefined : elementPlace(request, offset);
        const key = place === undefined ? undefined : keyOf(start + place);
        return `${verb} ${key === undefined ? 'elements' : `element ${key}`} of ${set.name}`;
      },
    };
  });
}

function ruleRequests(chain: string, rule: Rule, numbers: SetNumbers): readonly LabelledRequest[] {
  const { expressions, sets } = ruleProgram(rule, numbers);
  const comment = ruleComment(rule).slice(1, -1);
  const describe = (): string => `add rule to chain ${chain}: ${ruleText(rule)}`;
  return [
    ...sets.flatMap(({ set, elements }) => [
      addSet(tableName, set),
      ...addElements(tableName, { set: set.name, id: set.id }, elements),
    ]),
    addRule(tableName, { chain, expressions, comment }),
  ].map(request => ({ request, describe }));
}

type Encoders = {
  readonly [Op in Operation['op']]: (
    operation: Operation & { readonly op: Op },
    numbers: SetNumbers,
  ) => readonly LabelledRequest[];
};

const encoders: Encoders = {
  'add-table': () => labelled(addTable(tableName), `add table ${tableName}`),
  'delete-table': () => labelled(deleteTable(tableName), `delete table ${tableName}`),
  'add-counter': ({ name }) => labelled(addCounter(tableName, nameText(name)), `add counter ${name}`),
  'delete-counter': ({ name }) =>
    labelled(deleteCounter(tableName, nameText(name)), `delete counter ${name}`),
  'add-set': ({ set }, numbers) => {
    const { key, verdicts, intervals = false, size } = set;
    const made = { key: keyTypeOf(key), verdicts, intervals, size, anonymous: false, id: numbers.next() };
    return labelled(addSet(tableName, { name: nameText(set.name), ...made }), `add set ${set.name}`);
  },
  'flush-set': ({ set }) => labelled(flushElements(tableName, nameText(set.name)), `flush set ${set.name}`),
  'delete-set': ({ set }) => labelled(deleteSet(tableName, nameText(set.name)), `delete set ${set.name}`),
  'add-chain': ({ name, base }) =>
    labelled(
      addChain(tableName, { name: nameText(name), ...(base === undefined ? {} : { hook: base }) }),
      `add chain ${name}`,
    ),
  'flush-chain': ({ name }) => labelled(flushChain(tableName, nameText(name)), `flush chain ${name}`),
  'delete-chain': ({ name }) => labelled(deleteChain(tableName, nameText(name)), `delete chain ${name}`),
  'add-rules': ({ chain, rules }, numbers) =>
    rules.flatMap(rule => ruleRequests(nameText(chain), rule, numbers)),
  'add-elements': ({ set, elements }) =>
    labelledElements('add', set, keyedElements(set, elements), list =>
      addElements(tableName, { set: nameText(set.name) }, list),
    ),
  'delete-elements': ({ set, keys }) =>
    labelledElements('delete', set, keyedElements(set, new Map(keys.map(key => [key, null]))), list =>
      deleteElements(tableName, nameText(set.name), list),
    ),
};

/** What brings the operation about, in order. */
export function operationRequests(operation: Operation, numbers: SetNumbers): readonly LabelledRequest[] {
  // The table's type ties each entry to its operation; the compiler cannot follow that for a variable one.
  const encode = encoders[operation.op] as (
    operation: Operation,
    numbers: SetNumbers,
  ) => readonly LabelledRequest[];
  return encode(operation, numbers);
}
