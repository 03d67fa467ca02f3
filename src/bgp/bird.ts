import { chmod, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CalicoError, messageOf } from '../base/index.js';
import type { Clock, Logger } from '../base/index.js';
import { readBgpStatus } from './bgp-status.js';
import type { BgpStatus } from './bgp-status.js';
import { installConfig, restoreConfig } from './bird-config-file.js';
import type { BirdConfigFile } from './bird-config-file.js';
import { launchBird, runningPid } from './bird-process.js';
import type { BirdFiles } from './bird-process.js';
import { configure } from './configure.js';
import { ControlSocket } from './control-socket.js';

/** A BGP daemon under the agent's care. It outlives the agent, and the next agent takes it over. */
export interface BgpDaemon {
  /**
   * Makes the daemon run this configuration, starting it where needed. Texts that arrive within 100 ms are
   * one change, the last one wins. `invalid`: refused, the old one stays; `unavailable`: try again.
   */
  apply(text: string): Promise<void>;
  /** Sessions and route counts as they are now; `unavailable` when the daemon does not run. */
  status(): Promise<BgpStatus>;
  /** The daemon's process id; undefined while it does not run. */
  pid(): number | undefined;
  /** Ends the daemon. `graceful`: neighbours keep our routes for its return; else they drop them at once. */
  stop(options: { readonly graceful: boolean }): Promise<void>;
  /** Ends the care, not the daemon. */
  close(): Promise<void>;
}

/** What the care for one BIRD needs. */
export interface BirdOptions {
  /** holds `bird.conf`, `bird.ctl`, `bird.pid`; made with mode 0700 where it is missing */
  readonly runDir: string;
  /** holds `bird.log`, at most twice 10 MB */
  readonly logDir: string;
  /** default `bird` */
  readonly birdProgram?: string;
  /** words before the program when the daemon is started; default none: it lives where the agent lives */
  readonly launchPrefix?: readonly string[];
  /** true while the kernel holds routes with `proto bird`: the start is then a restart that keeps them */
  readonly hasBirdRoutes: () => boolean;
  readonly log: Logger;
  readonly clock: Clock;
}

const DEBOUNCE_MS = 100;
const START_DEADLINE_MS = 10_000;
const STOP_DEADLINE_MS = 5_000;
const POLL_MS = 20;
/** A daemon that reads thousands of sessions is silent for a while; a dead one closes the connection. */
const PATIENCE_MS = 10_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 30_000;
/** Having run for this long, the next end of the daemon is a new story. */
const STABLE_MS = 60_000;
const LOG_LIMIT_BYTES = 10_000_000;

/** Takes care of the BIRD in `runDir`; nothing is started or changed before the first `apply`. */
export function createBird(options: BirdOptions): BgpDaemon {
  return new Bird(options);
}

class Bird implements BgpDaemon {
  readonly #options: BirdOptions;
  readonly #files: BirdFiles;
  readonly #configFile: BirdConfigFile;
  readonly #ending = new AbortController();
  /** one thing at a time happens to the daemon */
  #turn: Promise<unknown> = Promise.resolve();
  #flush: Promise<void> | undefined;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #wanted = '';
  /** what the daemon is known to run */
  #applied: string | undefined;
  #refused: { readonly text: string; readonly error: unknown } | undefined;
  /** an idle connection: it ends when the daemon ends, however that comes */
  #watch: ControlSocket | undefined;
  #watching: Promise<void> = Promise.resolve();
  #startedAt = 0;
  #failures = 0;

  constructor(options: BirdOptions) {
    const { runDir, logDir, birdProgram = 'bird' } = options;
    this.#options = options;
    this.#files = {
      config: join(runDir, 'bird.conf'),
      socket: join(runDir, 'bird.ctl'),
      pid: join(runDir, 'bird.pid'),
      log: join(logDir, 'bird.log'),
    };
    if (/[^\x20-\x7e]|["\\]/.test(this.#files.log)) {
      throw new CalicoError(
        'invalid',
        `the log directory ${JSON.stringify(logDir)} cannot be written in BIRD's configuration`,
      );
    }
    this.#configFile = { path: this.#files.config, program: birdProgram };
  }

  async apply(text: string): Promise<void> {
    this.#refuseWhenClosed();
    this.#wanted = text;
    this.#flush ??= this.#flushSoon();
    await this.#flush;
  }

  async status(): Promise<BgpStatus> {
    return await readBgpStatus(this.#files.socket);
  }

  pid(): number | undefined {
    return runningPid(this.#files);
  }

  async stop({ graceful }: { readonly graceful: boolean }): Promise<void> {
    this.#refuseWhenClosed();
    this.#ending.abort();
    await this.#inTurn(async () => await this.#end(graceful ? 'graceful restart' : 'down'));
    await this.close();
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#watch?.close();
    await Promise.allSettled([this.#flush, this.#turn, this.#watching]);
    this.#watch?.close();
  }

  #refuseWhenClosed(): void {
    if (this.#ending.signal.aborted) throw new CalicoError('unavailable', 'the care for BIRD has ended');
  }

  async #inTurn<T>(action: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(action, action);
    this.#turn = mine.catch(() => undefined);
    return await mine;
  }

  async #flushSoon(): Promise<void> {
    const { clock } = this.#options;
    const wait = this.#flushedAt + DEBOUNCE_MS - clock.monotonic();
    // Without a wait, too, what is said in the same breath is one change.
    await clock.sleep(Math.max(0, wait), this.#ending.signal).catch(() => undefined);
    await this.#inTurn(async () => {
      this.#flush = undefined;
      this.#flushedAt = clock.monotonic();
      this.#refuseWhenClosed();
      await this.#install(this.#wanted);
    });
  }

  async #install(text: string): Promise<void> {
    if (text === this.#applied && this.#watch !== undefined) return;
    if (text === this.#refused?.text) throw this.#refused.error;
    const { log } = this.#options;
    try {
      // Where the daemon logs is its keeper's business, not the renderer's.
      const where = `log "${this.#files.log}" ${String(LOG_LIMIT_BYTES)} "${this.#files.log}.1" all;\n`;
      await mkdir(this.#options.logDir, { recursive: true, mode: 0o700 });
      await installConfig(this.#configFile, where + text);
      await this.#take(text);
      this.#applied = text;
      this.#refused = undefined;
      log.info('BIRD runs its new configuration', { bytes: text.length });
    } catch (error) {
      if (error instanceof CalicoError && error.code === 'invalid') this.#refused = { text, error };
      log.error(messageOf(error));
      throw error;
    }
  }

  /** The file is in place: a fresh daemon reads it, one that runs is told to. */
  async #take(text: string): Promise<void> {
    if ((await this.#ensureRunning()) === 'started') return;
    const control = await ControlSocket.open({
      path: this.#files.socket,
      timeoutMs: PATIENCE_MS,
      readOnly: false,
    });
    try {
      await configure(control, text, this.#options.clock);
    } catch (error) {
      if (error instanceof CalicoError && error.code === 'invalid') await restoreConfig(this.#configFile);
      throw error;
    } finally {
      control.close();
    }
  }

  async #ensureRunning(): Promise<'started' | 'found'> {
    if (this.#watch !== undefined) return 'found';
    const found = await this.#connect();
    if (found !== undefined) {
      this.#options.log.info('took over the running BIRD', { pid: this.pid() });
      this.#watchOver(found);
      return 'found';
    }
    this.#watchOver(await this.#start());
    return 'started';
  }

  /** Undefined when nobody listens; a daemon that listens and is silent is an error, not a reason for another. */
  async #connect(): Promise<ControlSocket | undefined> {
    try {
      return await ControlSocket.open({ path: this.#files.socket, timeoutMs: PATIENCE_MS, readOnly: true });
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
      throw error;
    }
  }

  async #start(): Promise<ControlSocket> {
    const { log, clock, hasBirdRoutes, launchPrefix = [] } = this.#options;
    const { path, program } = this.#configFile;
    const orphan = this.pid();
    if (orphan !== undefined) {
      log.warn('BIRD runs without its control socket: replacing it', { pid: orphan });
      await this.#kill(orphan);
    }
    const recover = hasBirdRoutes();
    const bird = await launchBird({ files: this.#files, program, prefix: launchPrefix, recover });
    const deadline = clock.monotonic() + START_DEADLINE_MS;
    while (bird.ended() === undefined && clock.monotonic() < deadline) {
      const control = await this.#connect();
      if (control !== undefined) {
        await chmod(this.#files.socket, 0o600);
        this.#startedAt = clock.monotonic();
        log.info('started BIRD', { pid: bird.pid, config: path, recover });
        return control;
      }
      await clock.sleep(POLL_MS);
    }
    const end = bird.ended();
    if (end === undefined) process.kill(bird.pid, 'SIGKILL');
    const what = end ?? `no control socket after ${String(START_DEADLINE_MS)} ms`;
    throw new CalicoError('unavailable', `starting BIRD with ${path}: ${what}: ${await this.#lastWords()}`);
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(this.#files.log, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').at(-1) ?? '';
  }

  #watchOver(control: ControlSocket): void {
    this.#watch = control;
    this.#watching = this.#untilGone(control);
  }

  async #untilGone(control: ControlSocket): Promise<void> {
    await control.closed;
    if (this.#watch === control) this.#watch = undefined;
    await this.#bringBack();
  }

  async #bringBack(): Promise<void> {
    const { log, clock } = this.#options;
    const { signal } = this.#ending;
    if (clock.monotonic() - this.#startedAt > STABLE_MS) this.#failures = 0;
    while (!signal.aborted) {
      const pause =
        this.#failures === 0 ? 0 : Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
      log.warn('BIRD is gone, starting it again', { inMs: pause });
      this.#failures++;
      try {
        await clock.sleep(pause, signal);
        await this.#inTurn(async () => {
          if (!signal.aborted) await this.#ensureRunning();
        });
        return;
      } catch (error) {
        if (!signal.aborted) log.error(messageOf(error));
      }
    }
  }

  async #end(command: 'down' | 'graceful restart'): Promise<void> {
    const pid = this.pid();
    const control = await ControlSocket.open({ path: this.#files.socket, readOnly: false }).catch(
      () => undefined,
    );
    if (control !== undefined) {
      // It may close the connection instead of answering: that it ends is all we want.
      await control.command(command).catch(() => undefined);
      control.close();
    }
    if (pid !== undefined && !(await this.#isGone(pid, STOP_DEADLINE_MS))) {
      this.#options.log.warn('BIRD does not end by itself: killing it', { pid });
      await this.#kill(pid);
    }
  }

  async #kill(pid: number): Promise<void> {
    process.kill(pid, 'SIGKILL');
    if (!(await this.#isGone(pid, STOP_DEADLINE_MS))) {
      throw new CalicoError('unavailable', `BIRD with process id ${String(pid)} survives SIGKILL`);
    }
  }

  async #isGone(pid: number, withinMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const deadline = clock.monotonic() + withinMs;
    while (this.pid() === pid) {
      if (clock.monotonic() > deadline) return false;
      await clock.sleep(POLL_MS);
    }
    return true;
  }
}
