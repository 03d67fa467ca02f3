import { defineCommand, required } from '../../cli/index.js';
import { exclusively, hostNamed, requireRecord, startHost, stopHost } from '../../lab/index.js';
import { labContext } from './context.js';
import { labStartHelp, labStopHelp } from './help.js';

const options = { host: required('<HOST>'), name: required('--name') };

interface Power {
  readonly word: 'stop' | 'start';
  readonly help: string;
  readonly act: typeof stopHost;
  /** what the host is then */
  readonly said: string;
}

const powerCommand = ({ word, help, act, said }: Power) =>
  defineCommand({
    path: ['lab', word],
    help,
    options,
    run: async services => {
      const context = labContext(services);
      const plan = await requireRecord(context.paths, services.options.name);
      const host = hostNamed(plan, services.options.host);
      await exclusively(context, plan.name, async () => await act(context, plan, host));
      services.out.line(`${host.name} is ${said}`);
      return 0;
    },
  });

export const labStopCommand = powerCommand({
  word: 'stop',
  help: labStopHelp,
  act: stopHost,
  said: 'dead: its link is cut, its processes have ended',
});

export const labStartCommand = powerCommand({
  word: 'start',
  help: labStartHelp,
  act: startHost,
  said: 'back: its link works, its agent is ready',
});
