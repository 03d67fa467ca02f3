import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNetlinkNftApplier, createNftApplier, createNftDataplane } from '../../src/dataplane/index.js';
import type { NftApplier } from '../../src/dataplane/index.js';
import { createCompiler } from '../../src/dataplane/nft/compile.js';
import { defaultNftConfig } from '../../src/dataplane/nft/config.js';
import { transactionFrom, transactionOf } from '../../src/dataplane/nft/diff.js';
import type { Transaction } from '../../src/dataplane/nft/diff.js';
import { patchBetween } from '../../src/dataplane/nft/diff.js';
import type { NftSet } from '../../src/dataplane/nft/model.js';
import { parseCidr } from '../../src/net/index.js';
import { makeRule } from '../../src/dataplane/nft/rule-text.js';
import { createPolicyGraph } from '../../src/policy/index.js';
import { createTestNet, eventually } from '../support/netns.js';
import { everyRule, setsOfRules } from '../support/nft-rules.js';
import { arbitraryBatches } from '../support/policy-arbitrary.js';

/**
 * What the encoder writes is held to what nft writes: the same transaction goes into one namespace as text and
 * into the other as messages, and nft must list both alike.
 */
const net = createTestNet();
const places = ['text', 'netlink'] as const;
let byText: NftApplier;
let byNetlink: Required<NftApplier>;

beforeAll(async () => {
  for (const place of places) await net.add(place);
  byText = createNftApplier(async (args, input) =>
    input === undefined
      ? await net.try('text', 'nft', ...args)
      : await net.feed('text', input, 'nft', ...args),
  );
  byNetlink = await createNetlinkNftApplier({ netns: net.path('netlink') });
});

beforeEach(async () => {
  for (const place of places) await net.run(place, 'nft', 'flush', 'ruleset');
});

afterAll(async () => {
  await net.remove();
  byNetlink.close();
});

/** nft puts tests of ports that stand side by side in the order of the header; the model has the destination first. */
function inHeaderOrder(expressions: readonly unknown[]): readonly unknown[] {
  const reads = (expression: unknown, field: string): boolean =>
    JSON.stringify(expression)?.includes(`"field":"${field}"`) ?? false;
  const ordered = [...expressions];
  for (const [at, expression] of expressions.entries()) {
    const next = expressions[at + 1];
    if (reads(expression, 'dport') && reads(next, 'sport')) ordered.splice(at, 2, next, expression);
  }
  return ordered;
}

/** A listing in which only what differs differs: no handles, elements and ports in one order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name]) => name !== 'handle');
  // Elements of a hash come in any order.
  return Object.fromEntries(
    entries.map(([name, inner]) => [
      name,
      name === 'elem' && Array.isArray(inner)
        ? inner.map(canonical).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
        : name === 'expr' && Array.isArray(inner)
          ? inHeaderOrder(inner.map(canonical))
          : canonical(inner),
    ]),
  );
}

async function listing(place: (typeof places)[number]): Promise<readonly unknown[]> {
  const parsed: unknown = JSON.parse(await net.run(place, 'nft', '-j', '-n', 'list', 'ruleset'));
  const { nftables } = parsed as { nftables: readonly unknown[] };
  return nftables.map(canonical);
}

async function applyToBoth(transaction: Transaction): Promise<void> {
  await byText.apply(transaction);
  await byNetlink.apply(transaction);
}

const hosts: NftSet = { name: 's4-hosts', key: ['ipv4_addr'], verdicts: false };
const addresses = (count: number) =>
  new Map(Array.from({ length: count }, (_, i) => [`10.9.${String(i >> 8)}.${String(i & 255)}`, null]));

describe('a table written by netlink', () => {
  test('reads for nft like the same table written by nft: each kind of rule, set and map', async () => {
    await applyToBoth([{ op: 'add-table' }, ...setsOfRules]);
    for (const rule of everyRule) {
      const chains: Readonly<Record<string, string>> = {
        masquerade: 'nat-post',
        snat: 'nat-post',
        dnat: 'nat-pre',
      };
      const chain = chains[rule.statement.kind] ?? 'raw-pre';
      await applyToBoth([{ op: 'add-rules', chain, rules: [rule] }]);
    }
    expect(await listing('netlink')).toStrictEqual(await listing('text'));
  });

  test('is read back as nft lists it, whoever wrote it', async () => {
    await applyToBoth([{ op: 'add-table' }, ...setsOfRules]);
    await applyToBoth([{ op: 'add-rules', chain: 'b-1', rules: everyRule.slice(0, 3) }]);
    const [text, own] = [await byText.readBack(), await byNetlink.readBack()];
    expect(own).toBeDefined();
    expect(own).toStrictEqual(text);
  });

  test('keeps the rules of a long chain that stay, and has all in their order, wherever some come and go', async () => {
    const nets = ['192.0.2.0/24', '198.51.100.0/24'].flatMap(text => parseCidr(text) ?? []);
    const rule = (name: string) =>
      makeRule(
        [{ kind: 'nets', side: 'source', version: 4, nets, negated: false }],
        { kind: 'accept' },
        `rule ${name}`,
      );
    const first = Array.from({ length: 100 }, (_, n) => String(n));
    const steps: readonly (readonly [names: readonly string[], kept: number])[] = [
      [['new', 'other', ...first], 100],
      [['new', 'other', ...first.slice(0, 50), 'a', 'b', 'c', ...first.slice(50)], 102],
      [['new', 'other', ...first.slice(0, 50), 'a', 'c', 'x', ...first.slice(50)], 103],
      [[...first.slice(0, 50), 'a', 'c', 'x', ...first.slice(50), 'last'], 0],
      [[...first.slice(0, 50), 'a', 'c', 'x', ...first.slice(50)], 103],
      [[...first.slice(2, 50), 'a', 'c', 'x', ...first.slice(50)], 101],
      [first.slice(2, 5), 0],
      [[], 0],
    ];
    const handles = async (): Promise<ReadonlySet<string>> => {
      const text = await net.run('netlink', 'nft', '-a', 'list', 'chain', 'inet', 'calico', 'b-1');
      return new Set([...text.matchAll(/accept .*# handle (\d+)$/gm)].map(([, handle]) => handle ?? ''));
    };
    let rules = first.map(rule);
    await applyToBoth([
      { op: 'add-table' },
      { op: 'add-chain', name: 'b-1' },
      { op: 'add-rules', chain: 'b-1', rules },
    ]);
    for (const [names, kept] of steps) {
      const before = await handles();
      const former = rules.map(({ fingerprint }) => fingerprint);
      rules = names.map(rule);
      const step: Transaction = [{ op: 'replace-rules', chain: 'b-1', former, rules }];
      await byNetlink.check(step);
      await applyToBoth(step);
      expect(await listing('netlink')).toStrictEqual(await listing('text'));
      expect(before.intersection(await handles()).size).toBe(kept);
    }
  });

  test('is refused for a long chain in which somebody else has changed a rule meanwhile', async () => {
    const rules = Array.from({ length: 100 }, (_, n) => makeRule([], { kind: 'accept' }, String(n)));
    await byNetlink.apply([
      { op: 'add-table' },
      { op: 'add-chain', name: 'b-1' },
      { op: 'add-rules', chain: 'b-1', rules },
    ]);
    await net.run('netlink', 'nft', 'add', 'rule', 'inet', 'calico', 'b-1', 'drop');
    const former = rules.map(({ fingerprint }) => fingerprint);
    const refused = byNetlink.apply([{ op: 'replace-rules', chain: 'b-1', former, rules: rules.slice(1) }]);
    await expect(refused).rejects.toThrow('chain b-1 has other rules than were left there');
    expect((await byNetlink.readBack())?.chains.get('b-1')?.fingerprints).toHaveLength(101);
  });

  test('is not there before it was made nor after it was deleted', async () => {
    expect(await byNetlink.readBack()).toBeUndefined();
    await byNetlink.apply([{ op: 'add-table' }]);
    expect(await byNetlink.readBack()).toStrictEqual({
      counters: new Set(),
      sets: new Map(),
      chains: new Map(),
      elements: new Map(),
    });
    await byNetlink.apply([{ op: 'delete-table' }]);
    expect(await byNetlink.readBack()).toBeUndefined();
  });

  test('takes tens of thousands of elements, and gives them back', async () => {
    const elements = addresses(20_000);
    await byNetlink.apply([
      { op: 'add-table' },
      { op: 'add-set', set: hosts },
      { op: 'add-elements', set: hosts, elements },
    ]);
    const before = await byNetlink.readBack();
    expect(new Set(before?.elements.get(hosts.name)?.keys())).toStrictEqual(new Set(elements.keys()));
    const keys = [...elements.keys()].slice(1);
    await byNetlink.apply([{ op: 'delete-elements', set: hosts, keys }]);
    expect((await byNetlink.readBack())?.elements.get(hosts.name)).toStrictEqual(addresses(1));
    await byNetlink.apply([
      { op: 'flush-set', set: hosts },
      { op: 'delete-set', set: hosts },
    ]);
    expect((await byNetlink.readBack())?.sets.size).toBe(0);
  });
});

describe('random policies', () => {
  test('give tables that nft lists alike, through all changes, and that read back as they should be', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryBatches(), async batches => {
        for (const place of places) await net.run(place, 'nft', 'flush', 'ruleset');
        const graph = createPolicyGraph('here');
        const compiler = createCompiler(defaultNftConfig, silentLogger);
        await applyToBoth(transactionFrom(undefined, compiler.ruleset()));
        compiler.takePatch();
        for (const batch of batches) {
          compiler.accept(graph.apply(batch));
          await applyToBoth(transactionOf(compiler.takePatch(), compiler.ruleset()));
        }
        expect(await listing('netlink')).toStrictEqual(await listing('text'));
        const snapshot = await byNetlink.readBack();
        if (snapshot === undefined) throw new Error('the table is gone');
        const patch = patchBetween(snapshot, compiler.ruleset());
        expect([...patch.sets, ...patch.chains, ...patch.elements]).toStrictEqual([]);
      }),
      { numRuns: Number(process.env['NFT_TABLES'] ?? 25) },
    );
  }, 120_000);
});

describe('a transaction that the kernel refuses', () => {
  test('changes nothing and names the step and the element', async () => {
    const elements = addresses(2_000);
    await byNetlink.apply([
      { op: 'add-table' },
      { op: 'add-set', set: hosts },
      { op: 'add-elements', set: hosts, elements },
    ]);
    const keys = [...elements.keys()].with(1_700, '192.0.2.77');
    const refused = byNetlink.apply([
      { op: 'add-chain', name: 'c-new' },
      { op: 'delete-elements', set: hosts, keys },
    ]);
    await expect(refused).rejects.toThrow(
      'nftables: table inet calico not changed: delete element 192.0.2.77 of s4-hosts: no such file or directory (ENOENT)',
    );
    const after = await byNetlink.readBack();
    expect(after?.chains.size).toBe(0);
    expect(after?.elements.get(hosts.name)?.size).toBe(2_000);
  });

  test('is refused in the same words when it is only checked, and one that would be taken changes nothing', async () => {
    const table = { op: 'add-table' } as const;
    const chain = (n: number): Transaction => [{ op: 'add-chain', name: `c-${String(n)}` }];
    const jump = (from: string, to: number): Transaction => [
      { op: 'add-rules', chain: from, rules: [makeRule([], { kind: 'jump', chain: `c-${String(to)}` })] },
    ];
    const base = { type: 'filter', hook: 'input', priority: 0 } as const;
    // As deep as the kernel allows, and one deeper.
    const stack = (depth: number): Transaction => [
      { op: 'add-chain', name: 'base', base },
      ...Array.from({ length: depth }, (_, n) => chain(n)).flat(),
      ...jump('base', 0),
      ...Array.from({ length: depth - 1 }, (_, n) => jump(`c-${String(n)}`, n + 1)).flat(),
    ];
    await byNetlink.check([]);
    await expect(byNetlink.check([table, ...jump('c-none', 1)])).rejects.toThrow(/chain c-none: .*ENOENT/);
    expect(await byNetlink.readBack()).toBeUndefined();
    await byNetlink.apply([table]);
    await byNetlink.check(stack(15));
    await expect(byNetlink.check(stack(16))).rejects.toThrow(/EMLINK/);
    await expect(byNetlink.apply(stack(16))).rejects.toThrow(/EMLINK/);
    expect((await byNetlink.readBack())?.chains.size).toBe(0);
    await byNetlink.apply(stack(15));
    expect((await byNetlink.readBack())?.chains.size).toBe(16);
  });

  test('names the rule', async () => {
    const [rule] = everyRule;
    if (rule === undefined) throw new Error('no rule');
    const refused = byNetlink.apply([
      { op: 'add-table' },
      { op: 'add-rules', chain: 'b-none', rules: [rule] },
    ]);
    await expect(refused).rejects.toThrow(/not changed: add rule to chain b-none: .*ENOENT/);
    expect(await byNetlink.readBack()).toBeUndefined();
  });
});

describe('a watch over the table', () => {
  test('tells of what others change in it, and of nothing else', async () => {
    let calls = 0;
    const watch = byNetlink.watch(() => calls++);
    const run = async (...words: readonly string[]): Promise<void> => {
      await net.run('netlink', 'nft', ...words);
      // Its events were there before it ended: by now they have been read.
      await net.run('netlink', 'nft', 'list', 'tables');
    };
    const isTold = async (...words: readonly string[]): Promise<void> => {
      const before = calls;
      await run(...words);
      await eventually('the foreign change is told', () => calls > before);
    };
    try {
      await byNetlink.apply([{ op: 'add-table' }, { op: 'add-set', set: hosts }]);
      // With events for all of them the watch would be overrun.
      await byNetlink.apply([{ op: 'add-elements', set: hosts, elements: addresses(60_000) }]);
      await run('list', 'tables');
      expect(calls).toBe(0);
      await isTold('add', 'chain', 'inet', 'calico', 'c1');
      const before = calls;
      await run('add', 'table', 'inet', 'other');
      await run('add', 'chain', 'inet', 'other', 'c');
      await run('add', 'table', 'ip', 'calico');
      expect(calls).toBe(before);
      await isTold('add', 'chain', 'inet', 'calico', 'c2');
      await isTold('delete', 'table', 'inet', 'calico');
    } finally {
      watch.close();
    }
  });
});

describe('a dataplane over netlink', () => {
  test('repairs its table at once after a foreign change, and looks at nothing for those of other tables', async () => {
    let readings = 0;
    const applier: NftApplier = {
      ...byNetlink,
      readBack: async () => {
        readings++;
        return await byNetlink.readBack();
      },
    };
    const dataplane = createNftDataplane({ applier, config: {}, log: silentLogger, clock: systemClock });
    const graph = createPolicyGraph('here');
    try {
      await dataplane.start();
      await dataplane.apply(graph.apply([]));
      const whole = await listing('netlink');
      const isWhole = async (): Promise<boolean> =>
        JSON.stringify(await listing('netlink')) === JSON.stringify(whole);
      const before = readings;
      await net.run('netlink', 'nft', 'add', 'table', 'inet', 'other');
      await net.run('netlink', 'nft', 'add', 'chain', 'inet', 'other', 'c');
      await net.run('netlink', 'nft', 'delete', 'table', 'inet', 'other');
      // Longer than it waits for further changes before it looks.
      await systemClock.sleep(300);
      expect(readings).toBe(before);
      for (const damage of [
        ['flush', 'chain', 'inet', 'calico', 'forward'],
        ['add', 'rule', 'inet', 'calico', 'input', 'accept'],
        ['add', 'element', 'inet', 'calico', 'wl-from', '{ "cali1" : accept }'],
        ['delete', 'table', 'inet', 'calico'],
        ['flush', 'ruleset'],
      ]) {
        await net.run('netlink', 'nft', ...damage);
        await eventually(`the table is whole again after ${damage.join(' ')}`, isWhole);
      }
      // One transaction may be read in two pieces.
      expect(readings - before).toBeLessThanOrEqual(10);
    } finally {
      await dataplane.stop();
    }
    await net.run('netlink', 'nft', 'delete', 'table', 'inet', 'calico');
    expect(await byNetlink.readBack()).toBeUndefined();
  });
});
