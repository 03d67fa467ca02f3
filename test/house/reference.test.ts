import { describe, expect, test } from 'vitest';
import { labCommands, labGroup } from '../../src/bin/lab-commands/index.js';
import { buildInfo } from '../../src/base/index.js';
import type { Command, CommandEntry } from '../../src/cli/command.js';
import { commandEntries, commandGroups } from '../../src/cli/commands/index.js';
import { topLevelHelpWith } from '../../src/cli/help/top-level.js';
import { formatYaml } from '../../src/cli/output/index.js';
import { schemaOf } from '../../src/cli/schema-fields.js';
import type { SchemaField } from '../../src/cli/schema-fields.js';
import { columns, kinds, parseDocument, toJson } from '../../src/resources/index.js';
import type { Kind } from '../../src/resources/index.js';
import { definitionOf } from '../../src/resources/registry.js';

const MADE_BY = '`vitest run --project unit reference -u` writes it. -->';

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function code(text: string, language = ''): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** The commands that are meant to be typed, in the order in which the help lists them. */
const entries: readonly CommandEntry[] = [...commandEntries, ...labCommands].filter(
  ({ path }) => !path.join(' ').startsWith('_'),
);

/** The help of a command; the version of a build stands in one of them. */
function helpOf({ help }: Command): string {
  return help.replaceAll(buildInfo().version, 'VERSION');
}

/** docs/calicoctl.md: every help text. */
async function commandReference(): Promise<string> {
  const added = [...entries, ...commandGroups, labGroup].flatMap(item =>
    item.summary === undefined
      ? []
      : [{ name: 'name' in item ? item.name : item.path.join(' '), summary: item.summary }],
  );
  const sections: string[] = [];
  for (const entry of entries) {
    const name = `calicoctl ${entry.path.join(' ')}`;
    sections.push(`## ${name}`, '', code(helpOf(await entry.load())), '');
  }
  return [
    '# calicoctl',
    '',
    `<!-- Made from the help texts in src/cli/help: ${MADE_BY}`,
    '',
    'The commands of the original, and those that it never had. Results and messages go to standard output, usage',
    'errors to standard error; the exit code is 0 for success and 1 for every failure, unless the command says',
    'otherwise. What resources are made of: [resources](resources/README.md).',
    '',
    code(topLevelHelpWith(added)),
    '',
    ...sections,
  ].join('\n');
}

const rule = {
  action: 'allow',
  protocol: 'tcp',
  source: { selector: "role == 'web'" },
  destination: { ports: [5432] },
};

/** One resource of each kind that shows what it is for. */
const examples: { readonly [K in Kind]: { readonly metadata: object; readonly spec: object } } = {
  bgpPeer: { metadata: { scope: 'global', peerIP: '192.0.2.1' }, spec: { asNumber: 64_512 } },
  hostEndpoint: {
    metadata: { name: 'eth0', node: 'host-1', labels: { role: 'gateway' } },
    spec: { interfaceName: 'eth0', expectedIPs: ['192.0.2.10'], profiles: ['hosts'] },
  },
  ipPool: { metadata: { cidr: '10.65.0.0/16' }, spec: { 'nat-outgoing': true, ipip: { enabled: true } } },
  node: { metadata: { name: 'host-1' }, spec: { bgp: { asNumber: 64_512, ipv4Address: '192.0.2.10' } } },
  policy: {
    metadata: { name: 'database' },
    spec: { order: 100, selector: "role == 'db'", ingress: [rule], egress: [{ action: 'allow' }] },
  },
  profile: {
    metadata: { name: 'hosts', labels: { tier: 'hosts' }, tags: ['hosts'] },
    spec: { ingress: [{ action: 'allow', source: { tag: 'hosts' } }], egress: [{ action: 'allow' }] },
  },
  workloadEndpoint: {
    metadata: {
      name: 'eth0',
      node: 'host-1',
      orchestrator: 'k8s',
      workload: 'default.web-1',
      labels: { role: 'web' },
    },
    spec: {
      interfaceName: 'cali0ef24ba',
      ipNetworks: ['10.65.0.2/32'],
      profiles: ['hosts'],
      mac: 'ca:fe:1d:52:bb:e9',
    },
  },
};

function exampleOf(kind: Kind): string {
  const parsed = parseDocument({ apiVersion: 'v1', kind, ...examples[kind] });
  if (!parsed.ok) throw new Error(`the example of ${kind} is wrong: ${JSON.stringify(parsed.problems)}`);
  const [resource] = parsed.resources;
  return resource === undefined ? '' : formatYaml(toJson(resource));
}

function fieldRows(field: SchemaField, path: string): readonly string[] {
  return field.fields.flatMap(each => {
    const name = `${path}${each.name}`;
    const isList = each.type.startsWith('list of map');
    const inner = fieldRows(each, `${name}${isList ? '[]' : ''}.`);
    // A map is described by its fields.
    return inner.length > 0 ? inner : [row([`\`${name}\``, each.type, each.description])];
  });
}

function columnText(kind: Kind): readonly string[] {
  const headings = columns(kind).map(({ heading, wide, extra }) => {
    const where = extra ? ' (only in `custom-columns`)' : wide ? ' (in `wide`)' : '';
    return `\`${heading}\`${where}`;
  });
  return ['## Columns', '', `Of \`calicoctl get ${kind}\`: ${headings.join(', ')}.`];
}

/** docs/resources/<kind>.md: all that the definition of a kind says. */
function resourceReference(kind: Kind): string {
  const definition = definitionOf(kind);
  const words = definition?.words ?? [];
  const sentence = definition?.description ?? '';
  return [
    `# ${kind}`,
    '',
    `<!-- Made from the definition of the kind in src/resources: ${MADE_BY}`,
    '',
    `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`,
    '',
    `On the command line: ${words.map(word => `\`${word}\``).join(', ')}, in any case.`,
    '',
    code(exampleOf(kind), 'yaml'),
    '',
    '## Fields',
    '',
    row(['field', 'type', 'value']),
    row(['---', '---', '---']),
    ...fieldRows(schemaOf(kind), ''),
    '',
    'What a field takes is also told by `calicoctl explain`, and what is wrong with a file by `calicoctl validate`.',
    '',
    ...columnText(kind),
    '',
  ].join('\n');
}

function resourceIndex(): string {
  return [
    '# Resources',
    '',
    `<!-- Made from the definitions in src/resources: ${MADE_BY}`,
    '',
    'Every resource has `apiVersion: v1`, a `kind`, `metadata` with what identifies it, and a `spec`. A file may hold one',
    'resource, a list of resources, several YAML documents, or a list kind such as `policyList` with `items`.',
    '',
    row(['kind', 'what it is']),
    row(['---', '---']),
    ...kinds.map(kind => row([`[${kind}](${kind}.md)`, definitionOf(kind)?.description ?? ''])),
    '',
  ].join('\n');
}

describe('the reference of calicoctl', () => {
  test('is what the help texts say', async () => {
    await expect(await commandReference()).toMatchFileSnapshot('../../docs/calicoctl.md');
  });
});

describe('the reference of resources', () => {
  test('lists every kind', async () => {
    await expect(resourceIndex()).toMatchFileSnapshot('../../docs/resources/README.md');
  });

  test.each(kinds)('of %s is what its definition says', async kind => {
    await expect(resourceReference(kind)).toMatchFileSnapshot(`../../docs/resources/${kind}.md`);
  });
});
