import { formatPeers, readBgpStatus } from '../../../bgp/index.js';
import type { BgpStatus, PeerStatus } from '../../../bgp/index.js';
import { messageOf } from '../../../base/index.js';
import { defineCommand, text } from '../../command.js';
import { nodeStatusHelp } from '../../help/node.js';
import { formatStructured, isStructured, visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { askAgent, runDirOf } from './agent-answer.js';
import { mayManageNode } from './require-root.js';

/** The part of the agent's answer that is shown in words. */
interface AgentAnswer {
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly endpoints?: readonly { readonly id: string; readonly state?: string; readonly reason?: string }[];
  /** absent in policy-only mode */
  readonly bgp?: Partial<BgpStatus>;
}

type Peers =
  | { readonly kind: 'peers'; readonly peers: readonly PeerStatus[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'failed'; readonly reason: string };

/** The sessions as the agent knows them, or as BIRD tells them where the agent does not. */
async function peersOf({ bgp }: AgentAnswer, runDir: string): Promise<Peers> {
  if (bgp === undefined) return { kind: 'none' };
  if (bgp.peers !== undefined) return { kind: 'peers', peers: bgp.peers };
  try {
    return { kind: 'peers', peers: (await readBgpStatus(`${runDir}/bird.ctl`)).peers };
  } catch (error) {
    return { kind: 'failed', reason: messageOf(error) };
  }
}

function printPeers(found: Peers, out: Output): void {
  switch (found.kind) {
    case 'none':
      out.line();
      out.line('None of the BGP backend processes (BIRD or GoBGP) are running.');
      break;
    case 'failed':
      out.line();
      out.line(`Error querying BIRD: unable to connect to BIRDv4 socket: ${visible(found.reason)}`);
      break;
    case 'peers':
      for (const version of [4, 6] as const) {
        out.line();
        out.line(formatPeers(found.peers, version));
      }
  }
}

/** How much BGP knows, and that it is not done with a restart. */
function printRoutes({ bgp }: AgentAnswer, out: Output): void {
  if (bgp?.routes !== undefined) {
    out.line();
    out.line(`BGP routes: ${String(bgp.routes[4])} IPv4, ${String(bgp.routes[6])} IPv6`);
  }
  if (bgp?.recovering === true) {
    out.line(
      'INFO: BGP recovers from a restart: the routes of the kernel stay, new ones wait for some seconds',
    );
  }
}

/** What the operator has to know besides: why the node is not ready, and what is not in force though it is. */
function printTroubles({ ready, reasons, endpoints = [] }: AgentAnswer, out: Output): void {
  const broken = endpoints.filter(({ state }) => state === 'error');
  if (ready && reasons.length + broken.length === 0) return;
  out.line();
  for (const reason of reasons) out.line(visible(`INFO: ${ready ? '' : 'not ready: '}${reason}`));
  for (const { id, reason = 'no reason known' } of broken)
    out.line(visible(`INFO: endpoint ${id}: ${reason}`));
}

export const nodeStatusCommand = defineCommand({
  path: ['node', 'status'],
  help: nodeStatusHelp,
  options: { output: text('--output') },
  run: async ({ options: { output = 'ps' }, out, env }) => {
    if (output !== 'ps' && !isStructured(output)) {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    if (!mayManageNode(out)) return 1;
    const runDir = runDirOf(env);
    const answered = await askAgent(runDir, '/status');
    if (answered?.status !== 200) {
      if (isStructured(output)) out.text(formatStructured(output, { running: false }));
      else out.line('Calico process is not running.');
      return 1;
    }
    // Answered by our own agent, over a socket that only root may make.
    const answer = JSON.parse(answered.body) as AgentAnswer;
    const found = await peersOf(answer, runDir);
    if (isStructured(output)) {
      out.text(
        formatStructured(output, {
          running: true,
          ...answer,
          ...(found.kind === 'none' ? {} : { bgp: found }),
        }),
      );
      return 0;
    }
    out.line('Calico process is running.');
    printPeers(found, out);
    printRoutes(answer, out);
    printTroubles(answer, out);
    out.line();
    return 0;
  },
});
