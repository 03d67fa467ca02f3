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
  deleteRule,
  deleteSet,
  deleteTable,
  elementPlace,
  flushChain,
  flushElements,
} from '../../../netlink/index.js';
import type { NftElement, NftRuleInfo, Request, RulePlace } from '../../../netlink/index.js';
import { parseCidr, widthOf } from '../../../net/index.js';
import { CalicoError } from '../../../base/index.js';
import type { Operation } from '../diff.js';
import type { ElementKey, Elements, NftSet, Rule } from '../model.js';
import { tableName } from '../names.js';
import { fingerprintIn, ruleComment, ruleText } from '../rule-text.js';
import { spliceOf } from '../splice.js';
import type { Splice } from '../splice.js';
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

/** What requests are made with, besides their operations. */
export interface BatchContext {
  readonly numbers: SetNumbers;
  /** the rules of a chain as they are now, in order */
  readonly rulesOf: (chain: string) => readonly NftRuleInfo[];
}

function ruleRequests(
  chain: string,
  rule: Rule,
  { numbers }: BatchContext,
  place?: RulePlace,
): readonly LabelledRequest[] {
  const { expressions, sets } = ruleProgram(rule, numbers);
  const comment = ruleComment(rule).slice(1, -1);
  const describe = (): string => `add rule to chain ${chain}: ${ruleText(rule)}`;
  return [
    ...sets.flatMap(({ set, elements }) => [
      addSet(tableName, set),
      ...addElements(tableName, { set: set.name, id: set.id }, elements),
    ]),
    addRule(tableName, { chain, expressions, comment }, place),
  ].map(request => ({ request, describe }));
}

type OperationOf<Op extends Operation['op']> = Operation & { readonly op: Op };

/** Exchanges the few rules that differ, and leaves the others alone. */
function spliceRequests(
  { chain, former, rules }: OperationOf<'replace-rules'>,
  splice: Splice,
  context: BatchContext,
): readonly LabelledRequest[] {
  const { at, removed, added } = splice;
  const there = context.rulesOf(chain);
  const isAsLeft =
    there.length === former.length &&
    there.every(({ comment }, index) => fingerprintIn(comment) === former[index]);
  if (!isAsLeft) {
    throw new CalicoError(
      'unavailable',
      `nftables: table inet ${tableName} not changed: chain ${chain} has other rules than were left there`,
    );
  }
  const gone = there.slice(at, at + removed);
  const [left, right] = [there[at - 1], there[at + removed]];
  const place: RulePlace | undefined =
    left === undefined
      ? right && { side: 'before', handle: right.handle }
      : { side: 'behind', handle: left.handle };
  const come = rules.slice(at, at + added);
  return [
    ...gone.flatMap(({ handle }) =>
      labelled(deleteRule(tableName, chain, handle), `delete a rule of chain ${chain}`),
    ),
    // What comes behind the same rule last is the first behind it.
    ...(place?.side === 'behind' ? come.reverse() : come).flatMap(rule =>
      ruleRequests(chain, rule, context, place),
    ),
  ];
}

type Encoders = {
  readonly [Op in Operation['op']]: (
    operation: OperationOf<Op>,
    context: BatchContext,
  ) => readonly LabelledRequest[];
};

const encoders: Encoders = {
  'add-table': () => labelled(addTable(tableName), `add table ${tableName}`),
  'delete-table': () => labelled(deleteTable(tableName), `delete table ${tableName}`),
  'add-counter': ({ name }) => labelled(addCounter(tableName, nameText(name)), `add counter ${name}`),
  'delete-counter': ({ name }) =>
    labelled(deleteCounter(tableName, nameText(name)), `delete counter ${name}`),
  'add-set': ({ set }, { numbers }) => {
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
  'add-rules': ({ chain, rules }, context) =>
    rules.flatMap(rule => ruleRequests(nameText(chain), rule, context)),
  'replace-rules': (operation, context) => {
    const { former, rules } = operation;
    const chain = nameText(operation.chain);
    const splice = spliceOf(former, rules);
    if (splice !== undefined) return spliceRequests({ ...operation, chain }, splice, context);
    return [
      ...labelled(flushChain(tableName, chain), `flush chain ${chain}`),
      ...rules.flatMap(rule => ruleRequests(chain, rule, context)),
    ];
  },
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
export function operationRequests(operation: Operation, context: BatchContext): readonly LabelledRequest[] {
  // The table's type ties each entry to its operation; the compiler cannot follow that for a variable one.
  const encode = encoders[operation.op] as (
    operation: Operation,
    context: BatchContext,
  ) => readonly LabelledRequest[];
  return encode(operation, context);
}
