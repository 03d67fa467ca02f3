import { askSocket } from '../../../base/index.js';

/** Directory of the agent's sockets. */
export function runDirOf(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['CALICO_RUN_DIR'] ?? '';
  return given === '' ? '/run/calico' : given;
}

/** What the agent of this host answers on its control socket; undefined when none runs. */
export async function askAgent(
  runDir: string,
  path: string,
): Promise<{ readonly status: number; readonly body: string } | undefined> {
  try {
    return await askSocket(`${runDir}/control.sock`, path);
  } catch {
    // Nobody listens, or nobody answers: for the asker there is no agent.
    return undefined;
  }
}
