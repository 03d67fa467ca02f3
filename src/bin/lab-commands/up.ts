import { CalicoError, isCalicoError } from '../../base/index.js';
import { defineCommand, readDocument, required, text, visible } from '../../cli/index.js';
import type { CommandContext } from '../../cli/index.js';
import { exclusively, labUp, plainTopology, planLab, readTopology } from '../../lab/index.js';
import type { LabTopology } from '../../lab/index.js';
import { countOption, labContext } from './context.js';
import { labUpHelp } from './help.js';

/** The topology of a file; what is wrong with it is one line for each fault, with the file before it. */
async function topologyOfFile(path: string): Promise<LabTopology> {
  const document = await readDocument(path);
  try {
    return readTopology(document);
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    const lines = error.message.split('\n').map(line => `${path}: ${line}`);
    throw new CalicoError('invalid', lines.join('\n'), { cause: error, issues: error.issues });
  }
}

function datastoreOption(given: string | undefined): Pick<LabTopology, 'datastore'> {
  if (given === undefined) return {};
  if (given !== 'sqlite' && given !== 'etcd') {
    throw new CalicoError('invalid', `--datastore '${given}': expected sqlite or etcd`);
  }
  return { datastore: given };
}

const options = {
  filename: text('--filename'),
  hosts: text('--hosts'),
  workloads: text('--workloads'),
  datastore: text('--datastore'),
  name: required('--name'),
};

export const labUpCommand = defineCommand({
  path: ['lab', 'up'],
  help: labUpHelp,
  options,
  run: async services => {
    try {
      await bringUp(services);
      return 0;
    } catch (error) {
      if (!isCalicoError(error)) throw error;
      // Several faults of a file, or the end of a log: a line each.
      for (const line of error.message.split('\n')) services.out.line(visible(line));
      return 1;
    }
  },
});

async function bringUp(services: CommandContext<typeof options>): Promise<void> {
  const { filename, hosts, workloads, datastore, name } = services.options;
  if (filename !== undefined && (hosts !== undefined || workloads !== undefined)) {
    throw new CalicoError('invalid', '--filename: expected no --hosts and no --workloads beside it');
  }
  const context = { ...labContext(services), signal: services.interrupted() };
  const topology =
    filename === undefined
      ? plainTopology(
          countOption('--hosts', hosts ?? '3', 250),
          countOption('--workloads', workloads ?? '2', 100),
        )
      : await topologyOfFile(filename);
  const plan = planLab(name, { ...topology, ...datastoreOption(datastore) });
  await exclusively(context, name, async () => await labUp(context, plan));
}
