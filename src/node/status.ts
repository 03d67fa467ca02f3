import type { HttpAnswer, HttpHandler } from '../base/index.js';

/** What the agent says of itself on its control socket (`GET /status`). */
export interface AgentStatus {
  readonly node: string;
  readonly pid: number;
  /** true once everything that existed at the start is in the kernel */
  readonly ready: boolean;
  /** why it is not ready, or what is wrong though it is */
  readonly reasons: readonly string[];
  /** datastore revision that the kernel corresponds to */
  readonly revision: number;
  readonly endpoints: readonly { readonly id: string; readonly state: string; readonly reason?: string }[];
  /** each parameter that is not at its default */
  readonly config: Readonly<Record<string, { readonly value: string; readonly from: string }>>;
  readonly bgp: unknown;
}

function json(status: number, value: unknown): HttpAnswer {
  return { status, type: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` };
}

/** `/live`, `/liveness`: the process answers. `/ready`, `/readiness`: the host is programmed, else 503 and why. `/status`: all of it. */
export function statusHandler(status: () => Promise<AgentStatus>): HttpHandler {
  return async (method, path) => {
    if (method !== 'GET') return undefined;
    switch (path) {
      case '/live':
      case '/liveness':
        return { status: 200, type: 'text/plain', body: 'live\n' };
      case '/ready':
      case '/readiness': {
        const { ready, reasons } = await status();
        return ready
          ? { status: 200, type: 'text/plain', body: 'ready\n' }
          : { status: 503, type: 'text/plain', body: `${reasons.join('\n')}\n` };
      }
      case '/status':
        return json(200, await status());
      default:
        return undefined;
    }
  };
}
