/**
 * Remembers up to which revision of the datastore each endpoint is in the kernel, for those who wait for it:
 * a CNI ADD is answered only when the new endpoint's policy is in force.
 */
export class Programmed {
  readonly #revisions = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #onWait: () => void;

  /** `onWait` is told of each who begins to wait. */
  constructor(onWait: () => void = () => undefined) {
    this.#onWait = onWait;
  }

  /** The endpoint, as of that revision, is in the kernel. */
  reached(endpointId: string, revision: number): void {
    this.#revisions.set(endpointId, revision);
    for (const check of this.#waiting.get(endpointId) ?? []) check();
  }

  /** The endpoint is gone: nothing is remembered of it. */
  forget(endpointId: string): void {
    this.#revisions.delete(endpointId);
  }

  /** Resolves once `endpointId` is in the kernel as of `revision` or later; rejects when aborted. */
  async until(endpointId: string, revision: number, signal: AbortSignal): Promise<void> {
    this.#onWait();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        signal.removeEventListener('abort', abort);
        const waiting = this.#waiting.get(endpointId);
        waiting?.delete(check);
        if (waiting?.size === 0) this.#waiting.delete(endpointId);
      };
      const abort = (): void => {
        end();
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
      };
      const check = (): void => {
        if ((this.#revisions.get(endpointId) ?? 0) < revision) return;
        end();
        resolve();
      };
      if (signal.aborted) {
        abort();
        return;
      }
      signal.addEventListener('abort', abort);
      const waiting = this.#waiting.get(endpointId) ?? new Set();
      this.#waiting.set(endpointId, waiting.add(check));
      check();
    });
  }
}
