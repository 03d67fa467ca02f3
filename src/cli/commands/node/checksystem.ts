import { release } from 'node:os';
import { isCalicoError, runProgram } from '../../../base/index.js';
import { defineCommand, text } from '../../command.js';
import { nodeCheckSystemHelp } from '../../help/node.js';
import { formatStructured, isStructured, visible } from '../../output/index.js';
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

interface Feature {
  readonly name: string;
  readonly ok: boolean;
  /** what does not work without it, where everything else does */
  readonly optional?: string;
  readonly reason?: string;
}

async function tryFeature(probe: Probe): Promise<Feature> {
  const { name, optional } = probe;
  const reason = await lack(probe);
  return {
    name,
    ok: reason === undefined,
    ...(optional === undefined ? {} : { optional }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function printFeature({ name, ok, optional, reason = '' }: Feature, out: Output): void {
  if (!ok && optional !== undefined)
    out.line(`WARNING: ${optional} will be unavailable as the kernel does not support ${name} (${reason})`);
  else if (!ok) out.line(`WARNING: Unable to use ${name}: ${reason}`);
  printResult(name, ok, out);
}

function printKernel(version: string, isNew: boolean, out: Output): void {
  out.line('Checking kernel version...');
  printResult(version, isNew, out);
  if (isNew) return;
  const oldest = OLDEST_KERNEL.join('.');
  out.line(`Minimum kernel version to run Calico is ${oldest}. Detected kernel version: ${version}`);
}

/** Nothing printed, for a result that is shown whole. */
const silent: Output = { line: () => undefined, text: () => undefined };

export const nodeCheckSystemCommand = defineCommand({
  path: ['node', 'checksystem'],
  help: nodeCheckSystemHelp,
  options: { output: text('--output') },
  run: async ({ options: { output = 'ps' }, out }) => {
    if (output !== 'ps' && !isStructured(output)) {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    if (!mayManageNode(out)) return 1;
    const words = output === 'ps' ? out : silent;
    const version = release();
    const isNew = isAtLeast(version, OLDEST_KERNEL);
    printKernel(version, isNew, words);
    words.line('Checking kernel modules...');
    const features: Feature[] = [];
    for (const probe of probes) {
      const feature = await tryFeature(probe);
      printFeature(feature, words);
      features.push(feature);
    }
    const isFine = isNew && features.every(({ ok, optional }) => ok || optional !== undefined);
    words.line(
      isFine
        ? 'System meets minimum system requirements to run Calico!'
        : "System doesn't meet one or more minimum systems requirements to run Calico",
    );
    if (isStructured(output))
      out.text(formatStructured(output, { ok: isFine, kernel: { version, ok: isNew }, features }));
    return isFine ? 0 : 1;
  },
});
