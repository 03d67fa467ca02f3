import { askSocket } from '../../base/index.js';
import type { AgentStatus } from '../../node/index.js';

/** Where words for people go. */
export interface Streams {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Names and reasons come from the datastore, and a terminal must not obey them. */
function line(text: string): string {
  return `${text.replaceAll(/\p{Cc}/gu, ' ')}\n`;
}

function count(endpoints: AgentStatus['endpoints'], state: 'up' | 'down' | 'error'): string {
  return `${String(endpoints.filter(each => each.state === state).length)} ${state}`;
}

function textOf(status: AgentStatus): string {
  const { node, pid, ready, uptimeSeconds, reasons, revision, datastore, endpoints, drops, repairs } = status;
  const dropped = Object.entries(drops).filter(([, { packets }]) => packets > 0);
  const repaired = Object.entries(repairs).flatMap(([what, times]) =>
    times > 0 ? [`${what} ${String(times)}`] : [],
  );
  const state = ready ? 'ready' : 'not ready';
  const answers = datastore.answers ? 'answers' : `does not answer: ${datastore.error ?? ''}`;
  return [
    `node ${node} (process ${String(pid)}): ${state}, up ${String(uptimeSeconds)} s`,
    ...reasons.map(reason => `  ${reason}`),
    `datastore: ${datastore.type}, ${answers}; revision ${String(revision)} is in force`,
    `endpoints: ${(['up', 'down', 'error'] as const).map(each => count(endpoints, each)).join(', ')}`,
    ...endpoints
      .filter(each => each.state === 'down' || each.state === 'error')
      .map(({ id, state: how = '', reason = '' }) => `  ${id}: ${how}, ${reason}`),
    dropped.length === 0 ? 'dropped: nothing' : 'dropped:',
    ...dropped.map(([reason, { packets }]) => `  ${reason}: ${String(packets)} packets`),
    `repaired: ${repaired.length === 0 ? 'nothing' : repaired.join(', ')}`,
  ]
    .map(line)
    .join('');
}

/** Tells how the agent with that directory of sockets is: exit code 0 when it is ready. */
export async function showStatus(runDir: string, { out, err }: Streams): Promise<number> {
  const answer = await askSocket(`${runDir}/control.sock`, '/status').catch(() => undefined);
  if (answer?.status !== 200) {
    err(`calico-node status: no agent answers on ${runDir}/control.sock\n`);
    return 1;
  }
  // Of our own agent, over a socket that only root may make.
  const status = JSON.parse(answer.body) as AgentStatus;
  out(textOf(status));
  return status.ready ? 0 : 1;
}
