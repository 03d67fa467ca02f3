import type { Clock } from '../base/index.js';

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // ended meanwhile
    }
  }
}

/** Ends processes: asks first, and after `graceMs` (0: at once) no longer asks. Resolves when all are gone. */
export async function endProcesses(
  pids: () => readonly number[],
  graceMs: number,
  clock: Clock,
): Promise<void> {
  if (graceMs > 0) signalAll(pids(), 'SIGTERM');
  const deadline = clock.monotonic() + graceMs;
  for (let left = pids(); left.length > 0; left = pids()) {
    if (clock.monotonic() >= deadline) signalAll(left, 'SIGKILL');
    await clock.sleep(10);
  }
}
