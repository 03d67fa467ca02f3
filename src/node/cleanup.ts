import { access, rm } from 'node:fs/promises';
import { askSocket, CalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { createBird, renderNothing } from '../bgp/index.js';
import { createNetlinkNftApplier, createNftDataplane, removeDevices } from '../dataplane/index.js';
import { ROUTE_PROTOCOL } from '../net/index.js';
import { openHostNetwork } from '../netlink/index.js';
import type { HostNetwork } from '../netlink/index.js';
import type { AgentConfig } from './config.js';
import { endGobgp } from './daemons.js';

export interface CleanupContext {
  readonly config: AgentConfig;
  /** of our routes: what marks them as ours */
  readonly routeProtocol: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** one line for each thing that was removed, or was not there */
  readonly say: (line: string) => void;
}

/** The routing protocol number that BIRD gives its routes in the kernel (RTPROT_BIRD). */
const BIRD_ROUTES = 12;
const BIRD_LIMIT_MS = 5_000;
const POLL_MS = 20;

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** Our daemon takes its routes out of the kernel itself, then ends; it is started for that when it is gone. */
async function removeBird({ config, clock, log, say }: CleanupContext, network: HostNetwork): Promise<void> {
  const files = ['bird.conf', 'bird.conf.old', 'bird.ctl', 'bird.pid'].map(
    name => `${config.runDir}/${name}`,
  );
  if (!(await exists(files[0] ?? ''))) {
    say('BIRD: none of ours');
    return;
  }
  const bird = createBird({
    runDir: config.runDir,
    logDir: config.logDir,
    hasBirdRoutes: () => false,
    log,
    clock,
  });
  const routesLeft = (): number => network.routes().filter(route => route.protocol === BIRD_ROUTES).length;
  const before = routesLeft();
  await bird.apply(renderNothing());
  const deadline = clock.monotonic() + BIRD_LIMIT_MS;
  // Another BIRD on this host keeps its own: then the count stays, and the wait ends by its limit.
  while (routesLeft() > 0 && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  await bird.stop({ graceful: false });
  for (const file of files) await rm(file, { force: true });
  say(`BIRD: ended, ${String(before - routesLeft())} of its routes removed`);
}

/** Its routes are the agent's, under a protocol number of their own. */
async function removeGobgp(context: CleanupContext, network: HostNetwork): Promise<void> {
  const files = ['gobgp.json', 'gobgp.sock', 'gobgp.pid'].map(name => `${context.config.runDir}/${name}`);
  const count = await endGobgp({ ...context, network });
  for (const file of files) await rm(file, { force: true });
  if (count > 0) context.say(`GoBGP: ended, ${String(count)} of its routes removed`);
}

/** An address on a link; of a route, the single one that it leads to. */
function neighbourKey(index: number, address: string): string {
  return `${String(index)} ${address.replace(/\/(32|128)$/, '')}`;
}

/** Our routes, and the neighbours at the ends of those to workloads. */
async function removeRoutes(
  { routeProtocol, say }: CleanupContext,
  network: HostNetwork,
): Promise<ReadonlySet<number>> {
  // Those of tunnels have always the same number; those to workloads the one that is configured.
  const numbers = new Set([ROUTE_PROTOCOL, routeProtocol]);
  const ours = network.routes().filter(route => numbers.has(route.protocol));
  for (const { destination, interfaceIndex, metric, protocol, type } of ours) {
    network.deleteRoute({
      destination,
      protocol,
      metric,
      ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
      ...(type === 'blackhole' ? { type } : {}),
    });
  }
  const ends = new Set(
    ours.map(({ destination, interfaceIndex = 0 }) => neighbourKey(interfaceIndex, destination)),
  );
  const neighbours = network
    .permanentNeighbours()
    .filter(({ interfaceIndex, address }) => ends.has(neighbourKey(interfaceIndex, address)));
  for (const { interfaceIndex, address } of neighbours) network.deleteNeighbour(interfaceIndex, address);
  const text = neighbours.length === 0 ? '' : `, and ${String(neighbours.length)} neighbours`;
  say(`routes: ${String(ours.length)} with protocol ${[...numbers].join(' or ')} removed${text}`);
  return new Set(ours.flatMap(({ interfaceIndex }) => interfaceIndex ?? []));
}

async function removeTable({ clock, log, say }: CleanupContext): Promise<void> {
  const applier = await createNetlinkNftApplier();
  let isThere: boolean;
  try {
    isThere = (await applier.readBack()) !== undefined;
    await createNftDataplane({ applier, config: {}, log, clock }).cleanup();
  } finally {
    applier.close();
  }
  say(isThere ? 'nftables: table inet calico removed' : 'nftables: no table inet calico');
}

async function refuseWhileRunning({ config }: CleanupContext): Promise<void> {
  const answered = await askSocket(`${config.runDir}/control.sock`, '/live').catch(() => undefined);
  if (answered === undefined) return;
  throw new CalicoError('already-exists', `calico-node runs with ${config.runDir}: stop it first`);
}

/**
 * Removes from this host's kernel exactly what the agent put there: our BIRD with its routes, our routes, the
 * tunnel device, and last our table, so that workloads stay closed until nothing leads to them. The store,
 * logs, workload interfaces and kernel settings stay. Returns what failed; the other steps are done all the
 * same.
 */
export async function cleanUp(context: CleanupContext): Promise<readonly string[]> {
  await refuseWhileRunning(context);
  const failures: string[] = [];
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      failures.push(messageOf(error));
    }
  };
  const network = await openHostNetwork();
  try {
    let links: ReadonlySet<number> = new Set();
    await attempt(async () => await removeBird(context, network));
    await attempt(async () => await removeGobgp(context, network));
    await attempt(async () => {
      links = await removeRoutes(context, network);
    });
    await attempt(async () => {
      const removed = await removeDevices(network, index => links.has(index));
      context.say(removed.length > 0 ? `tunnel: ${removed.join(', ')} removed` : 'tunnel: none in use');
    });
    await attempt(async () => await removeTable(context));
    for (const name of ['control.sock', 'cni.sock'])
      await attempt(async () => await rm(`${context.config.runDir}/${name}`, { force: true }));
  } finally {
    network.close();
  }
  return failures;
}
