import type { FSWatcher } from 'node:fs';
import type { Clock } from '../../base/index.js';
import { createBell, inodeOf } from './files.js';
import type { StoreFiles } from './files.js';

// Not imported: an import of node:fs evaluates all that it can lazily load, streams included.
const { utimesSync, watch } = process.getBuiltinModule('node:fs');

/**
 * Wakes the watches of all processes after a commit. Writing the log of SQLite cannot be that signal: it is
 * seen before the commit is visible. A commit whose process died before it rang is found by the safety wake.
 *
 *   commit ── ring: touch bell/bell ──► inotify on bell/ in each process ──► listeners ── drain the log
 *                                       every second, for what was missed ──┘
 */
export class Bell {
  readonly #files: StoreFiles;
  readonly #clock: Clock;
  readonly #safetyMs: number;
  readonly #listeners = new Set<BellListener>();
  #watcher: FSWatcher | undefined;
  #watched = 'gone';
  #timer: NodeJS.Timeout | undefined;

  constructor(files: StoreFiles, clock: Clock, safetyMs: number) {
    this.#files = files;
    this.#clock = clock;
    this.#safetyMs = safetyMs;
  }

  /** Call it only after the commit is visible. It never fails: the safety wake finds what was not rung. */
  ring(): void {
    const seconds = this.#clock.now() / 1000;
    try {
      utimesSync(this.#files.bell, seconds, seconds);
    } catch {
      try {
        createBell(this.#files);
      } catch {
        // A full or read-only disk: the watches wake up by themselves.
      }
    }
  }

  /** Starts to listen; what is rung from now on wakes the listener. It has to be closed. */
  listen(): BellListener {
    const listener = new BellListener(() => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    });
    this.#listeners.add(listener);
    if (this.#timer === undefined) this.#start();
    return listener;
  }

  #start(): void {
    this.#arm();
    this.#timer = setInterval(() => {
      this.#arm();
      this.#wakeAll();
    }, this.#safetyMs);
    // The watcher keeps the process alive as long as somebody listens, the timer need not.
    this.#timer.unref();
  }

  /** The directory may have been removed and made again: a watch on the old one is deaf. */
  #arm(): void {
    const now = inodeOf(this.#files.bellDirectory);
    if (this.#watcher !== undefined && now === this.#watched) return;
    this.#watcher?.close();
    this.#watcher = undefined;
    if (now === 'gone') return;
    try {
      this.#watcher = watch(this.#files.bellDirectory, () => this.#wakeAll());
      this.#watched = now;
      this.#watcher.on('error', () => {
        this.#watched = 'gone';
      });
    } catch {
      // No inotify instance left: the safety wake has to do.
    }
  }

  #wakeAll(): void {
    for (const listener of this.#listeners) listener.wakeSoon();
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#watcher?.close();
    this.#watcher = undefined;
  }
}

/** Remembers one ring until it is waited for. */
export class BellListener {
  readonly #onClose: () => void;
  #rung = false;
  #pending: NodeJS.Immediate | undefined;
  #resolve: (() => void) | undefined;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  /** Rings that come together wake it once. One listener has done its work before the next is woken. */
  wakeSoon(): void {
    this.#pending ??= setImmediate(() => {
      this.#pending = undefined;
      this.wake();
    });
  }

  wake(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /** Resolves when it was woken since the last wait. */
  async wait(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>(resolve => {
        this.#resolve = resolve;
      });
      this.#resolve = undefined;
    }
    this.#rung = false;
  }

  close(): void {
    clearImmediate(this.#pending);
    this.#onClose();
  }
}
