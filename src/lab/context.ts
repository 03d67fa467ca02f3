import type { Clock } from '../base/index.js';
import type { Author } from '../datastore/index.js';
import type { LabPaths } from './paths.js';

/** What the functions of the lab work with; `say` gets one line for each step, in plain words. */
export interface LabContext {
  readonly paths: LabPaths;
  readonly clock: Clock;
  /** for the history of the lab's datastore */
  readonly author?: Author;
  readonly say: (line: string) => void;
  /** ends the bringing up of a lab, which is then taken down again */
  readonly signal?: AbortSignal;
}
