/** What one of several requests got that were served together. */
export type Outcome<A> =
  | { readonly kind: 'done'; readonly value: A }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Runs jobs one after the other; a failed one does not stop the next. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  async alone<T>(job: () => Promise<T>): Promise<T> {
    const run = this.#last.then(job, job);
    this.#last = run;
    return await run;
  }

  /**
   * Returns a function that has its requests served in turn, those of one group together as far as they wait at
   * the same time: a burst costs one job, a request on its own no more than it did.
   */
  together<Q, A>(options: {
    /** undefined: by itself */
    readonly group: (request: Q) => string | undefined;
    /** requests that one job serves */
    readonly most: number;
    /** one outcome for each request, in their order */
    readonly serve: (requests: readonly Q[]) => Promise<readonly Outcome<A>[]>;
  }): (request: Q) => Promise<A> {
    const { group, most, serve } = options;
    const open = new Map<string, Batch<Q, A>>();
    const begin = (name: string | undefined): Batch<Q, A> => {
      const requests: Q[] = [];
      const outcomes = this.alone(async () => {
        // What is about to be asked for by others, whose messages have arrived already, comes along.
        await new Promise(resolve => setImmediate(resolve));
        if (name !== undefined && open.get(name)?.requests === requests) open.delete(name);
        return await serve(requests);
      });
      const batch = { requests, outcomes };
      if (name !== undefined) open.set(name, batch);
      return batch;
    };
    return async request => {
      const name = group(request);
      const waiting = name === undefined ? undefined : open.get(name);
      const { requests, outcomes } = waiting ?? begin(name);
      const place = requests.push(request) - 1;
      if (name !== undefined && requests.length >= most) open.delete(name);
      const outcome = (await outcomes)[place];
      if (outcome?.kind === 'done') return outcome.value;
      throw outcome?.error ?? new Error('a request was left without an answer');
    };
  }
}

interface Batch<Q, A> {
  readonly requests: Q[];
  readonly outcomes: Promise<readonly Outcome<A>[]>;
}
