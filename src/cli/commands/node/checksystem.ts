import { release } from 'node:os';
import { isCalicoError, runProgram } from '../../../base/index.js';
import { defineCommand } from '../../command.js';
import { nodeCheckSystemHelp } from '../../help/node.js';
import type { Output } from '../../output/index.js';
import { probes } from './probes.js';
import type { Probe } from './probes.js';
import { mayManageNode } from './require-root.js';

const OLDEST_KERNEL = [2, 6, 24] as const;

function printResult(name: string, isFine: boolean, out: Output): void {
  out.line(`\t\t${name.padEnd(20)}\t\t\t\t\t${isFine ? 'OK' : 'FAIL'}`);
}

/** Whether a version such as `6.8.0-49-generic` is not older than another. */
export function isAtLeast(version: string, oldest: readonly number[]): boolean {
  const numbers = version.split(/[.-]/).map(Number);
  for (const [index, wanted] of oldest.entries()) {
    const number = numbers[index] ?? 0;
    if (number !== wanted) return number > wanted;
  }
  return true;
}

/** Undefined: it is there; else what the program said. Nothing outside the namespace is touched. */
async function lack({ command: [program, ...args], input = '' }: Probe): Promise<string | undefined> {
  try {
    const { exitCode, stderr } = await runProgram('unshare', ['--net', '--', program, ...args], {
      input,
    });
    return exitCode === 0 ? undefined : (stderr.trim().split('\n')[0] ?? '');
  } catch (error) {
    if (isCalicoError(error)) return error.message;
    throw error;
  }
}

async function checkFeatures(out: Output): Promise<boolean> {
  out.line('Checking kernel modules...');
  let isFine = true;
  for (const probe of probes) {
    const { name, optional } = probe;
    const reason = await lack(probe);
    if (reason !== undefined && optional !== undefined) {
      out.line(`WARNING: ${optional} will be unavailable as the kernel does not support ${name} (${reason})`);
    } else if (reason !== undefined) {
      out.line(`WARNING: Unable to use ${name}: ${reason}`);
      isFine = false;
    }
    printResult(name, reason === undefined, out);
  }
  return isFine;
}

export const nodeCheckSystemCommand = defineCommand({
  path: ['node', 'checksystem'],
  help: nodeCheckSystemHelp,
  options: {},
  run: async ({ out }) => {
    if (!mayManageNode(out)) return 1;
    const version = release();
    out.line('Checking kernel version...');
    const isNew = isAtLeast(version, OLDEST_KERNEL);
    printResult(version, isNew, out);
    if (!isNew) {
      out.line(
        `Minimum kernel version to run Calico is ${OLDEST_KERNEL.join('.')}. Detected kernel version: ${version}`,
      );
    }
    const isComplete = await checkFeatures(out);
    if (isNew && isComplete) {
      out.line('System meets minimum system requirements to run Calico!');
      return 0;
    }
    out.line("System doesn't meet one or more minimum systems requirements to run Calico");
    return 1;
  },
});
