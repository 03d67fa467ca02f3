import { parseIp } from '../../../net/index.js';
import {
  count,
  load,
  log,
  lookupVerdict,
  masked,
  masquerade,
  nat,
  meta,
  notrack,
  payload,
  setMark,
  verdict,
} from '../../../netlink/index.js';
import type { NftVerdict } from '../../../netlink/index.js';
import type { DispatchKey, Rule, Statement, Verdict } from '../model.js';
import { logPrefixText, nameText } from '../text.js';
import type { SetNumbers } from './anonymous-set.js';
import { addressBytes, portBytes } from './key-bytes.js';
import { addTest, hostU32 } from './test-expressions.js';
import type { RuleProgram } from './test-expressions.js';

/** A verdict with its chain's name checked. */
export function nftVerdict(value: Verdict): NftVerdict {
  return 'chain' in value ? { kind: value.kind, chain: nameText(value.chain) } : { kind: value.kind };
}

function addDispatch({ expressions }: RuleProgram, key: DispatchKey, map: string): void {
  if (key === 'protocol-and-port') {
    expressions.push(meta('l4proto'), payload({ header: 'transport', offset: 2, length: 2, into: 1 }));
  } else expressions.push(meta(key === 'in-interface' ? 'iifname' : 'oifname'));
  expressions.push(lookupVerdict({ set: nameText(map) }));
}

function addNat(
  { expressions }: RuleProgram,
  statement: Extract<Statement, { kind: 'dnat' | 'snat' }>,
): void {
  const { kind, version, address } = statement;
  const ip = parseIp(address);
  if (ip?.version !== version) {
    throw new Error(`not an IPv${String(version)} address: ${JSON.stringify(address)}`);
  }
  const port = kind === 'dnat' ? statement.port : undefined;
  // The address in the first register, the port in the one behind it: an IPv6 address fills what four small ones have.
  const portRegister = version === 4 ? 1 : 4;
  expressions.push(load(addressBytes(ip)));
  if (port !== undefined) expressions.push(load(portBytes(port), portRegister));
  expressions.push(nat({ kind, version, ...(port !== undefined && { portRegister }) }));
}

function addStatement(program: RuleProgram, statement: Statement): void {
  const { expressions } = program;
  if (statement.kind === 'log') {
    const { level = 'notice', group } = statement;
    // Without the quotes that text needs, but with the same letters.
    const prefix = logPrefixText(statement.prefix).slice(1, -1);
    expressions.push(log(prefix, group === undefined ? { level } : { group }));
  } else if (statement.kind === 'count') expressions.push(count(nameText(statement.counter)));
  else if (statement.kind === 'masquerade') expressions.push(masquerade());
  else if (statement.kind === 'dnat' || statement.kind === 'snat') addNat(program, statement);
  else if (statement.kind === 'notrack') expressions.push(notrack());
  else if (statement.kind === 'set-mark') {
    const bits = hostU32(statement.bits);
    expressions.push(meta('mark'), masked(hostU32(~statement.bits), bits), setMark());
  } else if (statement.kind === 'dispatch') addDispatch(program, statement.key, statement.map);
  else expressions.push(verdict(nftVerdict(statement)));
}

/** The rule as the kernel's machine runs it, with the sets that are part of it. */
export function ruleProgram({ tests, statement }: Rule, numbers: SetNumbers): RuleProgram {
  const program: RuleProgram = { expressions: [], sets: [], numbers, family: undefined };
  for (const test of tests) addTest(program, test);
  addStatement(program, statement);
  return program;
}
