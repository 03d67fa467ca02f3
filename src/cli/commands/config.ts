import { CalicoError, nearestWord } from '../../base/index.js';
import type { ResourceClient, SettingName } from '../../datastore/index.js';
import { defineCommand, flag, required, text } from '../command.js';
import { configHelp } from '../help/config.js';
import { visible } from '../output/index.js';
import { configOptions } from './config/options.js';
import type { ConfigOption } from './config/options.js';
import { failingAs } from './failing-as.js';

interface Request {
  readonly verb: 'get' | 'set' | 'unset';
  readonly name: string;
  readonly value: string;
  readonly node: string | undefined;
}

function optionCalled(name: string): ConfigOption {
  const found = configOptions.find(option => option.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const meant = nearestWord(
    name,
    configOptions.map(option => option.name),
  );
  const hint = meant === undefined ? '' : ` (did you mean '${meant}'?)`;
  throw new CalicoError('invalid', `unrecognised config name '${name}'${hint}`);
}

/** A setting that has a name of its own; the result is what to print. */
async function named(
  client: ResourceClient,
  { verb, name, value, node }: Request,
): Promise<string | undefined> {
  const option = optionCalled(name);
  if (node !== undefined && !option.perNode) {
    throw new CalicoError('invalid', '--node should not be specified');
  }
  switch (verb) {
    case 'get':
      return await option.get(client, node);
    case 'set':
      await option.set(client, value, node);
      break;
    case 'unset':
      await option.unset(client, node);
  }
  return undefined;
}

/** Any setting of a component, neither known nor checked here. */
async function raw(
  client: ResourceClient,
  component: string,
  { verb, name, value, node }: Request,
): Promise<string | undefined> {
  if (component !== 'felix' && component !== 'bgp') {
    throw new CalicoError('invalid', `unrecognised component '${component}'`);
  }
  const setting: SettingName = node === undefined ? { component, name } : { component, name, node };
  if (verb === 'get') return (await client.getSetting(setting)) ?? '(unset)';
  await client.setSetting(setting, verb === 'set' ? value : undefined);
  return undefined;
}

export const configCommand = defineCommand({
  path: ['config'],
  help: configHelp,
  options: {
    set: flag('set'),
    unset: flag('unset'),
    get: flag('get'),
    name: required('<NAME>'),
    value: text('<VALUE>'),
    node: text('--node'),
    raw: text('--raw'),
    config: text('--config'),
  },
  run: async ({ options, out, datastore }) => {
    const { client } = await datastore();
    const { name, node, value = '' } = options;
    const verb = options.get ? 'get' : options.set ? 'set' : 'unset';
    const request: Request = { verb, name, value, node };
    return await failingAs({ prefix: 'Error executing command', out }, async () => {
      const shown =
        options.raw === undefined ? await named(client, request) : await raw(client, options.raw, request);
      if (shown !== undefined) out.line(visible(shown));
      return 0;
    });
  },
});
