import { readFile } from 'node:fs/promises';
import { CalicoError, messageOf } from '../../base/index.js';
import { defineCommand, required, text } from '../../cli/index.js';
import { labUp, plainTopology, planLab, readTopology } from '../../lab/index.js';
import type { LabTopology } from '../../lab/index.js';
import { countOption, labContext } from './context.js';
import { labUpHelp } from './help.js';

async function topologyOfFile(path: string): Promise<LabTopology> {
  const { load } = await import('js-yaml');
  try {
    return readTopology(load(await readFile(path, 'utf8')));
  } catch (error) {
    throw new CalicoError('invalid', `${path}: ${messageOf(error)}`, { cause: error });
  }
}

export const labUpCommand = defineCommand({
  path: ['lab', 'up'],
  help: labUpHelp,
  options: {
    filename: text('--filename'),
    hosts: required('--hosts'),
    workloads: required('--workloads'),
    name: required('--name'),
  },
  run: async services => {
    const { filename, hosts, workloads, name } = services.options;
    const context = labContext(services);
    const topology =
      filename === undefined
        ? plainTopology(countOption('--hosts', hosts, 250), countOption('--workloads', workloads, 100))
        : await topologyOfFile(filename);
    await labUp(context, planLab(name, topology));
    return 0;
  },
});
