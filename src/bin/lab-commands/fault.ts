import { CalicoError } from '../../base/index.js';
import { defineCommand, flag, formatTable, required, text } from '../../cli/index.js';
import {
  exclusively,
  faultText,
  linksNamed,
  linksOf,
  NO_FAULT,
  readFaults,
  requireRecord,
  setFault,
} from '../../lab/index.js';
import type { LinkFault } from '../../lab/index.js';
import { labContext } from './context.js';
import { labFaultHelp } from './help.js';

/** A number within bounds; a sign behind it may be given or left out. */
function numberOption(name: string, given: string | undefined, unit: string, most: number): number {
  if (given === undefined) return 0;
  const digits = given.endsWith(unit) ? given.slice(0, -unit.length) : given;
  const value = Number(digits);
  if (!/^[0-9]+(?:\.[0-9]+)?$/.test(digits) || value <= 0 || value > most) {
    const expected = `a number above 0 and up to ${String(most)}, such as 10${unit}`;
    throw new CalicoError('invalid', `${name} '${given}': expected ${expected}`);
  }
  return value;
}

const MOST_DELAY_MS = 10_000;

export const labFaultCommand = defineCommand({
  path: ['lab', 'fault'],
  help: labFaultHelp,
  options: {
    link: text('<LINK>'),
    cut: flag('--cut'),
    loss: text('--loss'),
    delay: text('--delay'),
    clear: flag('--clear'),
    name: required('--name'),
  },
  run: async services => {
    const { link, cut, loss, delay, clear, name } = services.options;
    const fault: LinkFault = {
      cut,
      lossPercent: numberOption('--loss', loss, '%', 100),
      delayMs: numberOption('--delay', delay, 'ms', MOST_DELAY_MS),
    };
    const wanted = cut || loss !== undefined || delay !== undefined;
    if (clear && wanted)
      throw new CalicoError('invalid', '--clear takes all faults away: not with another fault');
    if (wanted && link === undefined) throw new CalicoError('invalid', 'which link? name a host or a router');
    const context = labContext(services);
    const plan = await requireRecord(context.paths, name);
    const links = link === undefined ? linksOf(plan) : linksNamed(plan, link);
    if (wanted || clear) {
      await exclusively(context, name, async () => {
        for (const each of links) await setFault(context, { plan, link: each }, clear ? NO_FAULT : fault);
      });
    }
    const faults = await readFaults(context.paths, plan);
    const rows = links.map(each => [each.name, faultText(faults[each.port])]);
    services.out.text(formatTable(['LINK', 'STATE'], rows));
    return 0;
  },
});
