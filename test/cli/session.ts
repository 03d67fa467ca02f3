import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { builtCalicoctl } from './program.js';
import type { Calicoctl, Ran } from './program.js';

type Environment = Readonly<Record<string, string>>;

/** A call of calicoctl with words, or with a line whose words have no spaces. */
type Call<T> = (words: string | readonly string[], input?: string, env?: Environment) => Promise<T>;

/** calicoctl in the tests of one file: each test begins with an empty datastore. */
export interface CalicoctlSession {
  /** the file's own directory, in which the commands run */
  readonly directory: string;
  /** the built program */
  readonly program: string;
  /** the datastore of the present test, */
  readonly stateDir: string;
  /** and the environment that leads to it, which every call has that names no other */
  readonly env: Environment;
  readonly run: Call<Ran>;
  /** as `run`, only what it prints on standard output */
  readonly outOf: Call<string>;
}

/** To be called once in a file, outside of any test. */
export function calicoctlSession(): CalicoctlSession {
  let calicoctl: Calicoctl;
  let stores = 0;
  beforeAll(async () => {
    calicoctl = await builtCalicoctl();
  });
  beforeEach(() => {
    stores++;
  });
  afterAll(() => calicoctl.remove());
  const session: CalicoctlSession = {
    get directory() {
      return calicoctl.directory;
    },
    get program() {
      return calicoctl.program;
    },
    get stateDir() {
      return join(calicoctl.directory, `state-${String(stores)}`);
    },
    get env() {
      return { CALICO_STATE_DIR: session.stateDir };
    },
    run: async (words, input = '', env = session.env) =>
      await calicoctl.run(typeof words === 'string' ? words.split(' ') : words, { input, env }),
    outOf: async (...call) => (await session.run(...call)).out,
  };
  return session;
}
