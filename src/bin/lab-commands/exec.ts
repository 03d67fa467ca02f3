import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { defineCommand, list, required } from '../../cli/index.js';
import { hostEnvironment, netnsPath, placeNamed, requireRecord, storeEnvironment } from '../../lab/index.js';
import { labContext } from './context.js';
import { labExecHelp } from './help.js';

/** Runs a program on the terminal of this one and resolves with its exit code, as a shell would give it. */
async function runOnTerminal(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

export const labExecCommand = defineCommand({
  path: ['lab', 'exec'],
  help: labExecHelp,
  options: {
    name: required('--name'),
    place: required('<PLACE>'),
    command: required('<COMMAND>'),
    args: list('<ARGS>'),
  },
  run: async services => {
    const { name, place, command, args } = services.options;
    const context = labContext(services);
    const plan = await requireRecord(context.paths, name);
    const found = placeNamed(plan, place);
    const own =
      found.kind === 'router'
        ? storeEnvironment(context.paths, plan)
        : hostEnvironment(context.paths, plan, found.host);
    const path = `${context.paths.bin}:${services.env.PATH ?? '/usr/sbin:/usr/bin:/sbin:/bin'}`;
    const env = { ...services.env, ...own, PATH: path };
    return await runOnTerminal('nsenter', [`--net=${netnsPath(found.netns)}`, command, ...args], env);
  },
});
