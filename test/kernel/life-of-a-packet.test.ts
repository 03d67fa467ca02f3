import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { load } from 'js-yaml';
import { silentLogger, systemClock } from '../../src/base/index.js';
import { createNftApplier, createNftDataplane } from '../../src/dataplane/index.js';
import { createPolicyGraph, modelChangeFromV1 } from '../../src/policy/index.js';
import { identify, parseDocument } from '../../src/resources/index.js';
import { createTestNet } from '../support/netns.js';

/**
 * The page shows resources and the table that they become; this test makes that table and compares. After a
 * change of the ruleset: UPDATE_DOCS=1 vitest run --project kernel test/kernel/life-of-a-packet
 */
const page = new URL('../../docs/life-of-a-packet.md', import.meta.url);
const net = createTestNet();

beforeAll(async () => {
  await net.add('host');
});

afterAll(async () => {
  await net.remove();
});

function block(text: string, language: string): string {
  const found = new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(text)?.[1];
  if (found === undefined) throw new Error(`the page has no block of ${language}`);
  return found;
}

async function tableOf(resources: string): Promise<string> {
  const nft = async (args: readonly string[], input?: string) =>
    await net.feed('host', input ?? '', 'nft', ...args);
  const parsed = parseDocument(load(resources));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const changes = parsed.resources.flatMap(
    resource => modelChangeFromV1(resource.kind, identify(resource), resource) ?? [],
  );
  const driver = createNftDataplane({
    applier: createNftApplier(nft),
    config: {},
    log: silentLogger,
    clock: systemClock,
  });
  await driver.start();
  await driver.apply(createPolicyGraph('host1').apply(changes));
  await driver.stop();
  return (await nft(['-py', 'list', 'table', 'inet', 'calico'])).stdout;
}

describe('the page about the life of a packet', () => {
  test('shows the table that its resources become', async () => {
    const text = readFileSync(page, 'utf8');
    const table = await tableOf(block(text, 'yaml'));
    if (process.env['UPDATE_DOCS'] !== undefined) {
      const [before = ''] = text.split('```nft\n');
      writeFileSync(page, `${before}\`\`\`nft\n${table}\`\`\`\n`);
    }
    expect(block(readFileSync(page, 'utf8'), 'nft')).toBe(table);
  });

  test('names no chain or map that the table does not have', () => {
    const text = readFileSync(page, 'utf8');
    const table = block(text, 'nft');
    const prose = text.replace(table, '').replace(block(text, 'yaml'), '');
    const names = [...prose.matchAll(/`((?:wl|hep|prof|raw|next|anti|failsafe|invalid)-[a-z0-9-]+)`/g)];
    expect(names.length).toBeGreaterThan(5);
    expect(names.map(([, name = '']) => name).filter(name => !table.includes(` ${name} `))).toStrictEqual([]);
  });
});
