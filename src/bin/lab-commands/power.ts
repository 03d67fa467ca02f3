import { defineCommand, required } from '../../cli/index.js';
import { exclusively, hostNamed, requireRecord, startHost, stopHost } from '../../lab/index.js';
import { labContext } from './context.js';
import { labStartHelp, labStopHelp } from './help.js';

const options = { host: required('<HOST>'), name: required('--name') };

export const labStopCommand = defineCommand({
  path: ['lab', 'stop'],
  help: labStopHelp,
  options,
  run: async services => {
    const context = labContext(services);
    const plan = await requireRecord(context.paths, services.options.name);
    const host = hostNamed(plan, services.options.host);
    await exclusively(context, plan.name, async () => await stopHost(context, plan, host));
    services.out.line(`${host.name} is dead: its link is cut, its processes have ended`);
    return 0;
  },
});

export const labStartCommand = defineCommand({
  path: ['lab', 'start'],
  help: labStartHelp,
  options,
  run: async services => {
    const context = labContext(services);
    const plan = await requireRecord(context.paths, services.options.name);
    const host = hostNamed(plan, services.options.host);
    await exclusively(context, plan.name, async () => await startHost(context, plan, host));
    services.out.line(`${host.name} is back: its link works, its agent is ready`);
    return 0;
  },
});
