import { checkIpam, createAllocator, describeProblem, repairIpam } from '../../../ipam/index.js';
import type { IpamReport, RepairOutcome } from '../../../ipam/index.js';
import { defineCommand, flag, text } from '../../command.js';
import { ipamCheckHelp } from '../../help/ipam.js';
import { formatStructured, isStructured, visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { failingAs } from '../failing-as.js';

function count(number: number, thing: string): string {
  return `${String(number)} ${thing}${number === 1 ? '' : 's'}`;
}

function printCounts({ counts }: IpamReport, out: Output): void {
  const { pools, blocks, addresses, handles, endpoints, hosts } = counts;
  out.line(
    `Checked ${count(pools, 'pool')}, ${count(blocks, 'block')}, ${addresses === 1 ? '1 address' : `${String(addresses)} addresses`}, ` +
      `${count(handles, 'handle')}, ${count(endpoints, 'endpoint')}, ${count(hosts, 'node')}.`,
  );
}

function printProblems({ problems }: IpamReport, out: Output): void {
  for (const problem of problems) out.line(visible(`-  ${describeProblem(problem)}`));
  if (problems.length === 0) out.line('Nothing is wrong.');
  else out.line(`${count(problems.length, 'problem')} found.`);
}

function printOutcome({ repaired, left }: RepairOutcome, out: Output): void {
  for (const problem of repaired) out.line(visible(`-  mended: ${describeProblem(problem)}`));
  for (const { problem, reason } of left)
    out.line(visible(`-  left: ${describeProblem(problem)} (${reason})`));
  if (repaired.length + left.length === 0) out.line('Nothing is wrong.');
  else out.line(`${count(repaired.length, 'problem')} mended, ${String(left.length)} left.`);
}

export const ipamCheckCommand = defineCommand({
  path: ['ipam', 'check'],
  help: ipamCheckHelp,
  options: { repair: flag('--repair'), output: text('--output'), config: text('--config') },
  run: async ({ options, out, clock, datastore }) => {
    const { repair, output = 'ps' } = options;
    if (output !== 'ps' && !isStructured(output)) {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    const { store, client } = await datastore();
    return await failingAs({ prefix: 'Error executing command', out }, async () => {
      const report = await checkIpam({ store, client, clock });
      const outcome = repair
        ? await repairIpam({ store, clock, allocator: createAllocator({ store, clock }) }, report)
        : undefined;
      if (isStructured(output)) out.text(formatStructured(output, { ...report, ...outcome }));
      else {
        printCounts(report, out);
        if (outcome === undefined) printProblems(report, out);
        else printOutcome(outcome, out);
      }
      return (outcome?.left ?? report.problems).length === 0 ? 0 : 1;
    });
  },
});
