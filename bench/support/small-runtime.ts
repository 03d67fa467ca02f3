import { runChecked } from '../../src/base/index.js';

/** One call of a plugin: the command, and the container whose network namespace it is for. */
export interface PluginCall {
  readonly command: string;
  readonly container: string;
  readonly netns: string;
}

const loop = `
while read -r CNI_COMMAND CNI_CONTAINERID CNI_NETNS; do
  export CNI_COMMAND CNI_CONTAINERID CNI_NETNS
  begin=$EPOCHREALTIME
  "$1" <<<"$2" >/dev/null || exit 1
  end=$EPOCHREALTIME
  echo $(( \${end/./} - \${begin/./} ))
done`;

export interface PluginProgram {
  readonly program: string;
  /** on the standard input of each call */
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Calls a plugin one time after the other, and returns how long each took from fork to exit, in milliseconds. A
 * bash does it: to copy a Node process for each start costs more than what is measured.
 */
export async function callPlugin(
  { program, config, env }: PluginProgram,
  calls: readonly PluginCall[],
): Promise<readonly number[]> {
  const lines = calls.map(({ command, container, netns }) => `${command} ${container} ${netns}\n`);
  const answer = await runChecked('bash', ['-c', loop, 'bash', program, config], {
    env,
    input: lines.join(''),
  });
  return answer
    .trim()
    .split('\n')
    .map(microseconds => Number(microseconds) / 1000);
}
