import { messageOf } from '../base/index.js';
import type { Issue, Logger } from '../base/index.js';
import type { ObjectProblem } from '../dataplane/index.js';
import type { ResourceChange } from '../datastore/index.js';
import { modelChangeFromV1 } from '../policy/index.js';
import type { ModelChange } from '../policy/index.js';

function textOf(issues: readonly Issue[]): string {
  return issues.map(({ path, value, expected }) => `${path}: '${value}', expected ${expected}`).join('; ');
}

const SHOWN_CHARACTERS = 300;

/** A text out of the datastore as one line of bearable length, without anything that moves a terminal. */
function shown(text: string): string {
  const line = text.replaceAll(/\p{Cc}/gu, ' ');
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

/**
 * Stands between the datastore and policy: what cannot be read never takes the last readable version of an
 * object away, because a policy that vanishes opens what it closed (policy-enforcement 3.3). Each problem is
 * logged once, and told until it is over.
 */
export class Quarantine {
  readonly #log: Logger;
  readonly #problems = new Map<string, string>();
  /** policies of which a readable version is in force */
  readonly #readable = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Objects that are not in force as they are stored, each with the reason in words for people. */
  get problems(): readonly ObjectProblem[] {
    return [...this.#problems].map(([id, problem]) => ({ object: shown(id), problem }));
  }

  /** What the change means for policy; undefined when nothing: what was in force stays so. */
  admit(change: ResourceChange): ModelChange | undefined {
    try {
      return this.#read(change);
    } catch (error) {
      this.#note(change.id, messageOf(error));
      return undefined;
    }
  }

  #read(change: ResourceChange): ModelChange | undefined {
    const { resourceKind, id, resource, problem, switchedOff, closed } = change;
    if (problem !== undefined && switchedOff !== true) {
      this.#note(id, problem);
      if (closed === undefined || this.#readable.has(id)) return undefined;
      return modelChangeFromV1(resourceKind, id, closed);
    }
    const converted = modelChangeFromV1(resourceKind, id, resource);
    if (resourceKind === 'policy') {
      if (resource === undefined) this.#readable.delete(id);
      else this.#readable.add(id);
    }
    // A rule that cannot be taken as it stands has become a denial: in force, and said.
    const complaint = problem ?? textOf(converted?.issues ?? []);
    if (complaint === '') this.#problems.delete(id);
    else this.#note(id, complaint);
    return converted;
  }

  #note(id: string, complaint: string): void {
    const problem = shown(complaint);
    if (this.#problems.get(id) === problem) return;
    this.#problems.set(id, problem);
    this.#log.error('a stored object is not in force as it stands', { id: shown(id), problem });
  }
}
