import { shortName } from '../../base/index.js';
import type { Rule, Side, Statement, Test, Verdict } from './model.js';
import {
  addressText,
  bitsText,
  commentText,
  interfacePrefixText,
  interfaceText,
  logPrefixText,
  maskText,
  nameText,
  netsText,
  numberText,
  numbersText,
  rangesText,
} from './text.js';

const not = (negated: boolean): string => (negated ? '!= ' : '');

function addressField(version: 4 | 6, side: Side): string {
  return `${version === 4 ? 'ip' : 'ip6'} ${side === 'source' ? 'saddr' : 'daddr'}`;
}

function icmpText({ type, code, negated }: Extract<Test, { kind: 'icmp' }>): string {
  // Raw bytes of the transport header: 255 is literal, and type and code are compared at once.
  const first = numberText(type, 255);
  if (code === undefined) return `@th,0,8 ${not(negated)}${first}`;
  return `@th,0,16 ${not(negated)}${String(Number(first) * 256 + Number(numberText(code, 255)))}`;
}

function setText(test: Extract<Test, { kind: 'in-set' }>): string {
  const full = test.length === (test.version === 4 ? 32 : 128);
  const mask = full ? '' : ` & ${maskText(test.version, test.length)}`;
  return `${addressField(test.version, test.side)}${mask} ${not(test.negated)}@${nameText(test.set)}`;
}

/** Packets in a unit of time: more than any machine has. */
const maxRate = 1_000_000_000;

type TestTexts = { readonly [Kind in Test['kind']]: (test: Extract<Test, { kind: Kind }>) => string };

const testTexts: TestTexts = {
  family: ({ version }) => `meta nfproto ${version === 4 ? 'ipv4' : 'ipv6'}`,
  protocol: ({ protocol, negated }) => `meta l4proto ${not(negated)}${numberText(protocol, 255)}`,
  ports: ({ side, ranges, negated }) =>
    `th ${side === 'source' ? 'sport' : 'dport'} ${not(negated)}${rangesText(ranges)}`,
  nets: ({ version, side, nets, negated }) =>
    `${addressField(version, side)} ${not(negated)}${netsText(nets)}`,
  'in-set': setText,
  'port-in-set': ({ version, side, set, negated }) =>
    `${addressField(version, side)} . meta l4proto . th ${side === 'source' ? 'sport' : 'dport'} ${not(negated)}@${nameText(set)}`,
  icmp: icmpText,
  'icmp-types': ({ types }) => `@th,0,8 ${numbersText(types, 255)}`,
  'interface-prefix': ({ side, prefix }) =>
    `${side === 'in' ? 'iifname' : 'oifname'} ${interfacePrefixText(prefix)}`,
  'interface-in-set': ({ set }) => `iifname @${nameText(set)}`,
  'out-interface': ({ name }) => `oifname ${interfaceText(name)}`,
  'local-source': ({ of, negated }) => `fib saddr${of === 'host' ? '' : ' . oif'} type ${not(negated)}local`,
  'no-output-interface': () => 'meta oif 0',
  'input-interface': () => 'meta iif != 0',
  'source-on-interface': ({ version, set }) =>
    `${addressField(version, 'source')} . iifname @${nameText(set)}`,
  rate: ({ count, per, burst }) =>
    `limit rate ${numberText(count, maxRate)}/${per} burst ${numberText(burst, maxRate)} packets`,
  conntrack: ({ states, negated }) => `ct state ${negated ? '! ' : ''}${states.join(',')}`,
  mark: ({ bits, negated }) => `meta mark & ${bitsText(bits)} ${negated ? '!=' : '=='} ${bitsText(bits)}`,
};

/** One test in nft's language. */
export function testText(test: Test): string {
  // The table's type ties each entry to its kind; the compiler cannot follow that for a variable kind.
  return (testTexts[test.kind] as (test: Test) => string)(test);
}

/** A verdict in nft's language. */
export function verdictText(verdict: Verdict): string {
  return verdict.kind === 'goto' || verdict.kind === 'jump'
    ? `${verdict.kind} ${nameText(verdict.chain)}`
    : verdict.kind;
}

const keys = {
  'in-interface': 'iifname',
  'out-interface': 'oifname',
  'protocol-and-port': 'meta l4proto . th dport',
} as const;

function logText({ prefix, level, group }: Extract<Statement, { kind: 'log' }>): string {
  const to = group === undefined ? `level ${level ?? 'notice'}` : `group ${numberText(group, 65_535)}`;
  return `log prefix ${logPrefixText(prefix)} ${to}`;
}

function natText(statement: Extract<Statement, { kind: 'dnat' | 'snat' }>): string {
  const { kind, version, address } = statement;
  const text = addressText(version, address);
  const port = kind === 'dnat' ? statement.port : undefined;
  const family = version === 4 ? 'ip' : 'ip6';
  if (port === undefined) return `${kind} ${family} to ${text}`;
  return `${kind} ${family} to ${version === 4 ? text : `[${text}]`}:${numberText(port, 65_535)}`;
}

function statementText(statement: Statement): string {
  if (statement.kind === 'log') return logText(statement);
  if (statement.kind === 'count') return `counter name "${nameText(statement.counter)}"`;
  if (statement.kind === 'masquerade' || statement.kind === 'notrack') return statement.kind;
  if (statement.kind === 'dnat' || statement.kind === 'snat') return natText(statement);
  if (statement.kind === 'set-mark') return `meta mark set meta mark | ${bitsText(statement.bits)}`;
  if (statement.kind === 'dispatch') return `${keys[statement.key]} vmap @${nameText(statement.map)}`;
  return verdictText(statement);
}

function bodyText(tests: readonly Test[], statement: Statement): string {
  return [...tests.map(testText), statementText(statement)].join(' ');
}

const maxComment = 128;
const fingerprintLength = 10;

/**
 * A rule with the fingerprint of what it says. The fingerprint is written into the rule's comment, so that a
 * read-back can be compared without knowing how the kernel or nft spells rules.
 */
export function makeRule(tests: readonly Test[], statement: Statement, comment = ''): Rule {
  const body = bodyText(tests, statement);
  return { tests, statement, comment, fingerprint: shortName('', `${body}\n${comment}`, fingerprintLength) };
}

/** A rule's comment in quotes: for people what the user wrote, for the read-back the fingerprint. */
export function ruleComment({ comment, fingerprint }: Rule): string {
  const human = comment.slice(0, maxComment - fingerprintLength - 1);
  return commentText(`${human} ${fingerprint}`.trimStart());
}

/** The fingerprint at the end of a comment; a foreign rule's has none that fits. */
export function fingerprintIn(comment: string): string {
  return comment.slice(comment.lastIndexOf(' ') + 1);
}

/** A rule as nft reads it, with its comment and fingerprint. */
export function ruleText(rule: Rule): string {
  return `${bodyText(rule.tests, rule.statement)} comment ${ruleComment(rule)}`;
}
