import type { DataplaneUpdate, ModelChange } from '../policy/index.js';

/** How often something happened, by kind. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(kind: string, count = 1): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }

  get(kind: string): number {
    return this.#counts.get(kind) ?? 0;
  }

  entries(): IterableIterator<[string, number]> {
    return this.#counts.entries();
  }

  total(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }
}

/** What takes time, and is told of as it happens. */
export type Timed = 'calculation' | 'apply' | 'batch';

/** What the agent did since it started, in numbers. Whoever shows them reads them here. */
export class Measurements {
  /** changes taken in, by kind of object */
  readonly changes = new Tally();
  /** updates sent to the kernel's side, by kind */
  readonly updates = new Tally();
  /** calls to nft, and those of them that failed: `apply`, `list`, `apply-failed`, `list-failed` */
  readonly nft = new Tally();
  /** what somebody else had changed in the kernel and was put right: `table`, `route`, `setting` */
  readonly repairs = new Tally();
  failures = 0;
  /** monotonic milliseconds */
  readonly startedAt: number;
  /** seconds from the start to the first whole state in the kernel */
  firstApplySeconds: number | undefined;
  readonly #active = new Map<string, Set<string>>();
  #listener: (what: Timed, value: number) => void = () => undefined;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }

  /** Objects of that kind that this host uses: `endpoint`, `policy`, `profile`, `set`. */
  active(kind: 'endpoint' | 'policy' | 'profile' | 'set'): number {
    return this.#active.get(kind)?.size ?? 0;
  }

  /** Told of each duration in seconds, and of the size of each batch. */
  onTimed(listener: (what: Timed, value: number) => void): void {
    this.#listener = listener;
  }

  calculated(changes: readonly ModelChange[], updates: readonly DataplaneUpdate[], seconds: number): void {
    for (const { kind } of changes) this.changes.add(kind);
    for (const update of updates) {
      this.updates.add(update.kind);
      this.#note(update);
    }
    this.#listener('calculation', seconds);
    this.#listener('batch', updates.length);
  }

  applied(seconds: number): void {
    this.#listener('apply', seconds);
  }

  #note(update: DataplaneUpdate): void {
    if (update.kind === 'pools-updated') return;
    const [kind = '', verb] = update.kind.split('-');
    const active = this.#active.get(kind) ?? new Set<string>();
    this.#active.set(kind, active);
    if (verb === 'removed') active.delete(update.id);
    else active.add(update.id);
  }
}
