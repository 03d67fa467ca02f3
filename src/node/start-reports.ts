import { messageOf } from '../base/index.js';
import type { EndpointState } from '../dataplane/index.js';
import { agentStatusKeys } from '../datastore/index.js';
import type { EndpointId } from '../policy/index.js';
import { EndpointReports } from './endpoint-reports.js';
import { Periodic } from './periodic.js';
import type { Wiring } from './wiring.js';

/** Without a pause the writer would spin. */
const SHORTEST_PAUSE_MS = 20;

/** Writes back to the datastore how the agent and its endpoints are (policy-enforcement 10). */
export async function startReports(wiring: Wiring): Promise<void> {
  const { parts, settings, store, clock, log, measurements, config, plumbing, hostStates } = wiring;
  const name = config.nodeName;
  const keys = agentStatusKeys(name);
  const reportAgent = async (): Promise<void> => {
    const value = JSON.stringify({
      time: new Date(clock.now()).toISOString(),
      uptime: (clock.monotonic() - measurements.startedAt) / 1000,
      first_update: measurements.firstApplySeconds !== undefined,
    });
    const { reportingTtl } = settings.values;
    // So nobody takes a dead host for a live one; without a time it stays for ever.
    const life = reportingTtl > 0 ? { ttlSeconds: Math.ceil(reportingTtl) } : {};
    await store.commit({
      writes: [
        { kind: 'put', key: keys.current, value, ...life },
        { kind: 'put', key: keys.last, value },
      ],
    });
  };
  const states = (): ReadonlyMap<EndpointId, EndpointState> =>
    new Map([...plumbing.states(), ...hostStates.states()]);
  const reports = new EndpointReports({ node: name, store, states, log });
  const note = (id: EndpointId): void => {
    reports.note(id);
  };
  const { agent, endpoints } = await parts.start({
    name: 'reports',
    start: async () =>
      await Promise.resolve({
        agent: new Periodic({ name: 'the report of this agent', work: reportAgent, clock, log }),
        endpoints: new Periodic({
          name: 'the report of endpoints',
          work: async () => await reports.round(),
          clock,
          log,
        }),
        subscriptions: [plumbing.onState(note), hostStates.onState(note)],
      }),
    stop: async started => {
      for (const unsubscribe of started.subscriptions) unsubscribe();
      await Promise.all([started.agent.stop(), started.endpoints.stop()]);
    },
  });
  let isReporting = true;
  await settings.follow(async values => {
    agent.setInterval(values.reportingInterval * 1000);
    const pause = Math.max(SHORTEST_PAUSE_MS, values.endpointReportingDelay * 1000);
    endpoints.setInterval(values.endpointReporting ? pause : 0);
    const hasEnded = isReporting && !values.endpointReporting;
    isReporting = values.endpointReporting;
    // Also those that an earlier run has left.
    if (!hasEnded) return;
    await reports.removeAll().catch((error: unknown) => {
      log.warn('old reports of endpoints stay in the datastore', { error: messageOf(error) });
    });
  });
}
