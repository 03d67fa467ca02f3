import { parameters } from './parameters.js';
import { withoutEffect } from './without-effect.js';
import type { FelixConfig, Parameter, ParameterKey } from './parameters.js';

/** Where values come from, the strongest first. */
export const origins = ['environment', 'file', 'datastore, this host', 'datastore, global'] as const;
export type Origin = (typeof origins)[number];

/** The raw values of each source, names in any case. */
export type Sources = Readonly<Record<Origin, ReadonlyMap<string, string>>>;

export interface Resolved {
  readonly values: FelixConfig;
  /** where each value comes from; absent: it is the default */
  readonly origins: ReadonlyMap<ParameterKey, Origin>;
  /** one line for each thing that is not as it should be */
  readonly problems: readonly string[];
  /** problems of local values that must not be answered by a default */
  readonly refusals: readonly string[];
}

interface Found {
  readonly origin: Origin;
  readonly name: string;
  readonly text: string;
}

/** What the sources say, by lower-case name, the strongest first. */
function collect(sources: Sources): ReadonlyMap<string, readonly Found[]> {
  const found = new Map<string, Found[]>();
  for (const origin of origins) {
    // Two spellings of one name in one source: the first in byte order counts, whatever came first.
    for (const [name, text] of [...sources[origin]].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const key = name.toLowerCase();
      found.set(key, [...(found.get(key) ?? []), { origin, name, text: text.trim() }]);
    }
  }
  return found;
}

class Resolver {
  readonly problems: string[] = [];
  readonly refusals: string[] = [];
  readonly origins = new Map<ParameterKey, Origin>();
  readonly #found: ReadonlyMap<string, readonly Found[]>;

  constructor(sources: Sources) {
    this.#found = collect(sources);
  }

  /** The value of the first source that has one; what it cannot read is answered by `otherwise`. */
  value<T>(key: ParameterKey, parameter: Parameter<T>, otherwise: T): T {
    const [first] = this.#candidates(parameter);
    if (first === undefined) return parameter.default;
    const { origin, text } = first;
    const isNone = text.toLowerCase() === 'none';
    const { type } = parameter;
    if (isNone && 'none' in type) {
      this.origins.set(key, origin);
      return type.none;
    }
    const value = isNone ? undefined : type.parse(text);
    if (value !== undefined) {
      this.origins.set(key, origin);
      return value;
    }
    const expected = isNone ? `${parameter.type.expected}; it may not be none` : parameter.type.expected;
    const problem = `${parameter.name} in ${origin} is '${shown(text)}': expected ${expected}`;
    const isLocal = origin === 'environment' || origin === 'file';
    if (isLocal && parameter.refused === true) this.refusals.push(problem);
    this.problems.push(`${problem}; using ${parameter.type.format(otherwise)}`);
    return otherwise;
  }

  #candidates<T>(parameter: Parameter<T>): readonly Found[] {
    const names = [parameter.name, ...(parameter.aliases ?? [])];
    const all = names.flatMap(name => this.#found.get(name.toLowerCase()) ?? []);
    return all
      .filter(each => this.#counts(parameter, each))
      .sort((a, b) => origins.indexOf(a.origin) - origins.indexOf(b.origin));
  }

  #counts<T>(parameter: Parameter<T>, { origin, name, text }: Found): boolean {
    if (text === '') {
      this.problems.push(`${name} in ${origin} is empty and does not count; 'none' is nothing`);
      return false;
    }
    if (parameter.localOnly === true && origin.startsWith('datastore')) {
      this.problems.push(`${name} in ${origin} does not count: it belongs into the environment or the file`);
      return false;
    }
    return true;
  }

  unknown(): void {
    const known = Object.values(parameters).flatMap(({ name, ...rest }) => [
      name,
      ...('aliases' in rest ? rest.aliases : []),
    ]);
    const names = new Set(known.map(name => name.toLowerCase()));
    const idle = new Map(
      Object.entries(withoutEffect).map(([name, reason]) => [name.toLowerCase(), reason] as const),
    );
    for (const [key, [first]] of this.#found) {
      if (first === undefined || names.has(key)) continue;
      const idleReason = idle.get(key);
      // The datastore is shared: what others keep there is no mistake.
      if (idleReason !== undefined && first.origin.startsWith('datastore')) continue;
      const reason = idleReason ?? 'there is no such parameter';
      this.problems.push(`${shown(first.name)} in ${first.origin} has no effect: ${reason}`);
    }
  }
}

function shown(text: string): string {
  const line = text.replaceAll(/\p{Cc}/gu, ' ');
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}

/**
 * The values in force (policy-enforcement 9.1): for each parameter the first source that has it. What cannot
 * be read never falls to a weaker source: it keeps the value of `previous`, or is the default.
 */
export function resolveConfig(sources: Sources, previous?: FelixConfig): Resolved {
  const resolver = new Resolver(sources);
  const read = <K extends ParameterKey>(key: K): [K, unknown] => {
    const parameter: Parameter<unknown> = parameters[key];
    return [key, resolver.value(key, parameter, previous?.[key] ?? parameter.default)];
  };
  // The table has a type for each key, and `read` gives each key a value of its own type.
  const keys = Object.keys(parameters) as readonly ParameterKey[];
  const values = Object.fromEntries(keys.map(read)) as unknown as FelixConfig;
  resolver.unknown();
  return { values, origins: resolver.origins, problems: resolver.problems, refusals: resolver.refusals };
}
