import { describe, expect, test } from 'vitest';
import { parameters } from './parameters.js';
import { withoutEffect } from './without-effect.js';

function row(cells: readonly string[]): string {
  return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function parameterRows(): readonly string[] {
  return Object.values(parameters).map(parameter => {
    const { name, meaning, type, default: value, ...rest } = parameter;
    const printer: { format(value: never): string } = type;
    const names = [name, ...('aliases' in rest ? rest.aliases : [])].map(each => `\`${each}\``).join(', ');
    const text = value === '' ? '' : `\`${printer.format(value as never)}\``;
    const counts = 'needsRestart' in rest ? 'next start' : 'at once';
    const where = 'localOnly' in rest ? 'environment, file' : 'anywhere';
    const wrong = 'refused' in rest ? 'refused' : 'default';
    return row([names, type.expected, text, where, counts, wrong, meaning]);
  });
}

/** docs/felix-configuration.md as the table says. */
function reference(): string {
  return [
    '# Parameters of the agent',
    '',
    '<!-- Made from src/node/felix-config/parameters.ts: `vitest run --project unit reference -u` writes it. -->',
    '',
    'Each parameter is looked for in this order, and the first source that has it counts:',
    '',
    '1. the environment of `calico-node`: `FELIX_` and the name, such as `FELIX_LOGSEVERITYSCREEN=debug`;',
    '2. the file `/etc/calico/felix.cfg` (`$CALICO_ETC_DIR/felix.cfg`): lines `Name = value`;',
    '3. the datastore, for this host: `/calico/v1/host/<node>/config/<Name>`;',
    '4. the datastore, for all hosts: `/calico/v1/config/<Name>`;',
    '5. the default.',
    '',
    'Names count in any case. `none` stands for nothing (an empty list, 0, false, silence); an empty value does not',
    'count. A value that cannot be read is one line in the log: the parameter keeps its last value, at the start',
    'its default, and never falls to a weaker source. Where the table says *refused*, such a value in the',
    'environment or the file keeps the agent from starting. A change in the datastore counts at once where the',
    'table says so. `GET /status` on the control socket tells each parameter that is not at its default, and',
    'where it comes from.',
    '',
    row(['name', 'value', 'default', 'where', 'a change counts', 'wrong at the start', 'meaning']),
    row(['---', '---', '---', '---', '---', '---', '---']),
    ...parameterRows(),
    '',
    '## Accepted, without effect',
    '',
    row(['name', 'reason']),
    row(['---', '---']),
    ...Object.entries(withoutEffect).map(([name, reason]) => row([`\`${name}\``, reason])),
    '',
  ].join('\n');
}

describe('the reference of the parameters', () => {
  test('is what the table says', async () => {
    await expect(reference()).toMatchFileSnapshot('../../../docs/felix-configuration.md');
  });
});
