import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { contains, parseCidr } from '../net/index.js';
import type { Cidr } from '../net/index.js';
import type { BgpStatus } from './bgp-status.js';
import type { BgpState } from './config.js';
import { parseNeighbors, parseRib } from './gobgp-answers.js';
import type { GobgpPath } from './gobgp-answers.js';
import { planGobgp } from './gobgp-config.js';
import type { GobgpPlan } from './gobgp-config.js';
import { askGobgp, launchGobgp, monitorGobgp, runningGobgp } from './gobgp-program.js';
import type { GobgpFiles } from './gobgp-program.js';

/** The kernel's routes that belong to GoBGP, which writes none itself. A gateway that is missing: a blackhole. */
export interface KernelRoutes {
  list(): ReadonlyMap<string, string | undefined>;
  set(destination: string, gateway: string | undefined): void;
  remove(destination: string, gateway: string | undefined): void;
}

export interface GobgpOptions {
  /** holds `gobgp.json`, `gobgp.sock`, `gobgp.pid`; made with mode 0700 where it is missing */
  readonly runDir: string;
  /** holds `gobgp.log` */
  readonly logDir: string;
  /** words before the program when the daemon is started; default none */
  readonly launchPrefix?: readonly string[];
  readonly kernel: KernelRoutes;
  readonly log: Logger;
  readonly clock: Clock;
}

const START_DEADLINE_MS = 10_000;
const POLL_MS = 50;
/** After a start the neighbours have this long to tell what they know before routes are taken away. */
const RECOVERY_MS = 20_000;
/** A session that has just come up has not told its routes yet. */
const SETTLING_MS = 2_000;
const TABLE_DELAY_MS = 30;
const RECOVERY_POLL_MS = 500;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;

/**
 * A GoBGP under the agent's care, which is also its hand in the kernel: it originates this node's networks and
 * writes the routes of what others tell. The daemon outlives the agent, and the next agent takes it over.
 */
export class Gobgp {
  readonly #options: GobgpOptions;
  readonly #files: GobgpFiles;
  readonly #ending = new AbortController();
  /** one thing at a time happens to daemon and kernel */
  #turn: Promise<unknown> = Promise.resolve();
  #state: BgpState | undefined;
  #plan: GobgpPlan | undefined;
  /** what the running daemon was last given; undefined when that is not known */
  #given: GobgpPlan | undefined;
  #monitors: readonly { close(): void }[] = [];
  #recoveringUntil = Number.NEGATIVE_INFINITY;
  /** while recovering: since when all sessions are up */
  #completeSince: number | undefined;
  #tableWaits = false;
  #failures = 0;

  constructor(options: GobgpOptions) {
    const { runDir, logDir } = options;
    this.#options = options;
    this.#files = {
      config: join(runDir, 'gobgp.json'),
      socket: join(runDir, 'gobgp.sock'),
      pid: join(runDir, 'gobgp.pid'),
      log: join(logDir, 'gobgp.log'),
    };
  }

  /** Makes the daemon do what the state says, starting it where needed. `unavailable`: try again. */
  async apply(state: BgpState): Promise<void> {
    await this.#inTurn(async () => {
      this.#state = state;
      this.#plan = planGobgp(state);
      await this.#bringInLine(this.#plan);
    });
  }

  /** Sessions and route counts as they are now; `unavailable` when the daemon does not run. */
  async status(): Promise<BgpStatus> {
    const now = this.#options.clock.now() / 1000;
    const peers = parseNeighbors(await askGobgp(this.#files, 'neighbor', '-j'), now);
    const [four, six] = await Promise.all([this.#table('4'), this.#table('6')]);
    return { peers, routes: { 4: four.length, 6: six.length }, recovering: this.#isRecovering() };
  }

  /** The daemon's process id; undefined while it does not run. */
  pid(): number | undefined {
    return runningGobgp(this.#files);
  }

  /** Ends the care, not the daemon. */
  async close(): Promise<void> {
    this.#ending.abort();
    this.#endMonitors();
    await this.#turn;
  }

  /** Ends the daemon; its neighbours drop our routes, the kernel keeps those of others. */
  async stop(): Promise<void> {
    await this.close();
    await this.#kill();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ending.signal.aborted) throw new CalicoError('unavailable', 'GoBGP is no longer cared for');
    const run = this.#turn.then(work, work);
    this.#turn = run.catch(() => undefined);
    return await run;
  }

  async #bringInLine(plan: GobgpPlan): Promise<void> {
    await this.#configure(plan);
    await this.#originate(plan);
    this.#watch();
    await this.#program();
  }

  /** A daemon that runs takes a new file at SIGHUP, but for what it only reads when it starts. */
  async #configure(plan: GobgpPlan): Promise<void> {
    const pid = this.pid();
    const isRunning = pid !== undefined && (await this.#answers());
    if (isRunning && this.#given?.config === plan.config) return;
    const { runDir, logDir } = this.#options;
    for (const directory of [runDir, logDir]) await mkdir(directory, { recursive: true, mode: 0o700 });
    await writeFile(this.#files.config, plan.config, { mode: 0o600 });
    if (isRunning && (this.#given === undefined || this.#given.identity === plan.identity)) {
      process.kill(pid, 'SIGHUP');
      this.#given = plan;
      return;
    }
    await this.#kill();
    await this.#start();
    this.#given = plan;
  }

  async #start(): Promise<void> {
    const { launchPrefix: prefix = [], clock, kernel } = this.#options;
    this.#endMonitors();
    await launchGobgp({ files: this.#files, prefix, recover: kernel.list().size > 0 });
    this.#recoveringUntil = clock.monotonic() + RECOVERY_MS;
    this.#completeSince = undefined;
    const deadline = clock.monotonic() + START_DEADLINE_MS;
    while (!(await this.#answers())) {
      if (clock.monotonic() > deadline || this.pid() === undefined) {
        throw new CalicoError(
          'unavailable',
          `gobgpd does not answer after its start: see ${this.#files.log}`,
        );
      }
      await clock.sleep(POLL_MS, this.#ending.signal);
    }
    this.#options.log.info('GoBGP started', { pid: this.pid() });
  }

  async #answers(): Promise<boolean> {
    return await askGobgp(this.#files, 'global', '-j').then(
      () => true,
      () => false,
    );
  }

  async #kill(): Promise<void> {
    const { clock } = this.#options;
    this.#endMonitors();
    this.#given = undefined;
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      const deadline = clock.monotonic() + START_DEADLINE_MS / 2;
      for (let pid = this.pid(); pid !== undefined && clock.monotonic() < deadline; pid = this.pid()) {
        process.kill(pid, signal);
        await clock.sleep(POLL_MS);
      }
    }
  }

  /** What this node originates, as the daemon's table says: an earlier agent may have put it there. */
  async #originate({ paths }: GobgpPlan): Promise<void> {
    for (const version of ['4', '6'] as const) {
      const family = ['-a', `ipv${version}`];
      const present = new Map(
        (await this.#table(version)).flatMap(path => (path.local ? [[path.network, path.nextHop]] : [])),
      );
      const isOfVersion = (network: string): boolean => network.includes(':') === (version === '6');
      for (const [network, nextHop] of paths) {
        if (!isOfVersion(network) || present.get(network) === nextHop) continue;
        const path = [network, 'nexthop', nextHop, 'origin', 'igp'];
        await askGobgp(this.#files, 'global', 'rib', 'add', ...path, ...family);
      }
      for (const network of present.keys()) {
        if (!paths.has(network)) await askGobgp(this.#files, 'global', 'rib', 'del', network, ...family);
      }
    }
  }

  async #table(version: '4' | '6'): Promise<readonly GobgpPath[]> {
    return parseRib(await askGobgp(this.#files, 'global', 'rib', '-j', '-a', `ipv${version}`));
  }

  #watch(): void {
    if (this.#monitors.length > 0 || this.#ending.signal.aborted) return;
    const on = {
      change: () => {
        this.#programSoon();
      },
      end: () => {
        this.#ended();
      },
    };
    this.#monitors = ([4, 6] as const).map(version => monitorGobgp(this.#files, version, on));
  }

  #endMonitors(): void {
    for (const monitor of this.#monitors) monitor.close();
    this.#monitors = [];
  }

  /** The daemon is gone: another one is started, each time a little later. */
  #ended(): void {
    this.#endMonitors();
    const plan = this.#plan;
    if (plan === undefined || this.#ending.signal.aborted) return;
    const pauseMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(this.#failures++, 10));
    this.#options.log.warn('GoBGP has ended; starting it again', { retryInMs: pauseMs });
    this.#later(pauseMs, async () => {
      this.#given = undefined;
      await this.#bringInLine(this.#plan ?? plan);
      this.#failures = 0;
    });
  }

  /** Many changes at once are one reading of the table. */
  #programSoon(ms = TABLE_DELAY_MS): void {
    if (this.#tableWaits) return;
    this.#tableWaits = true;
    this.#later(ms, async () => {
      this.#tableWaits = false;
      await this.#program();
    });
  }

  #later(ms: number, work: () => Promise<void>): void {
    const run = async (): Promise<void> => {
      await this.#options.clock.sleep(ms, this.#ending.signal);
      await this.#inTurn(work);
    };
    run().catch((error: unknown) => {
      if (this.#ending.signal.aborted) return;
      this.#options.log.error('GoBGP', { problem: messageOf(error) });
      this.#ended();
    });
  }

  #isRecovering(): boolean {
    return this.#options.clock.monotonic() < this.#recoveringUntil;
  }

  /** Brings the kernel's routes in line with the daemon's table. */
  async #program(): Promise<void> {
    const { kernel, log } = this.#options;
    const [state, plan] = [this.#state, this.#plan];
    if (state === undefined || plan === undefined) return;
    // Asked before the tables are read: what a session tells after its coming up must be in them.
    const recovering = this.#isRecovering() && !(await this.#hasSettled());
    const tables = await Promise.all([this.#table('4'), this.#table('6')]);
    const wanted = wantedRoutes(state, plan, tables.flat());
    const present = kernel.list();
    for (const [destination, gateway] of wanted) {
      if (present.has(destination) && present.get(destination) === gateway) continue;
      try {
        kernel.set(destination, gateway);
      } catch (error) {
        log.warn('a route of GoBGP cannot be written', { destination, reason: messageOf(error) });
      }
    }
    // Whoever has not told yet may still know the way; what this node originates is known at once.
    if (recovering) this.#programSoon(RECOVERY_POLL_MS);
    else this.#recoveringUntil = Number.NEGATIVE_INFINITY;
    for (const [destination, gateway] of present) {
      const learned = gateway !== undefined;
      if (!wanted.has(destination) && !(learned && recovering)) kernel.remove(destination, gateway);
    }
  }

  /** True when all sessions have been up for long enough to have told what they know. */
  async #hasSettled(): Promise<boolean> {
    const peers = parseNeighbors(await askGobgp(this.#files, 'neighbor', '-j'), 0);
    const now = this.#options.clock.monotonic();
    const complete = peers.every(({ info }) => info === 'Established');
    this.#completeSince = complete ? (this.#completeSince ?? now) : undefined;
    return this.#completeSince !== undefined && now - this.#completeSince >= SETTLING_MS;
  }
}

/** The end of packets to own blocks, and ways to all that others told, but for what the agent leads itself. */
function wantedRoutes(
  state: BgpState,
  plan: GobgpPlan,
  table: readonly GobgpPath[],
): ReadonlyMap<string, string | undefined> {
  const tunnels = state.pools.filter(pool => pool.routedByAgent).map(({ cidr }): Cidr => cidr);
  const wanted = new Map<string, string | undefined>();
  for (const { network, nextHop, local } of table) {
    const range = parseCidr(network);
    if (local || range === undefined || tunnels.some(tunnel => contains(tunnel, range))) continue;
    wanted.set(network, nextHop);
  }
  for (const block of plan.blackholes) wanted.set(block, undefined);
  return wanted;
}
