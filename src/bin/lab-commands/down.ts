import { defineCommand, required } from '../../cli/index.js';
import { exclusively, labDown, notUp, readRecord } from '../../lab/index.js';
import { labContext } from './context.js';
import { labDownHelp } from './help.js';

export const labDownCommand = defineCommand({
  path: ['lab', 'down'],
  help: labDownHelp,
  options: { name: required('--name') },
  run: async services => {
    const { name } = services.options;
    const context = labContext(services);
    await exclusively(context, name, async () => {
      const plan = await readRecord(context.paths, name);
      if (plan === undefined) services.out.line(await notUp(context.paths, name));
      else await labDown(context, plan);
    });
    return 0;
  },
});
