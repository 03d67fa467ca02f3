import { CalicoError, messageOf } from '../../base/index.js';
import type { Logger } from '../../base/index.js';
import type { ClusterEvent } from '../../datastore/index.js';
import { readConfigFile } from './config-file.js';
import { parameters } from './parameters.js';
import type { FelixConfig, ParameterKey } from './parameters.js';
import { resolveConfig } from './resolve.js';
import type { Resolved } from './resolve.js';

/** What counts on this host alone: variables `FELIX_<NAME>` and the file. */
export interface LocalSettings {
  readonly environment: ReadonlyMap<string, string>;
  readonly file: ReadonlyMap<string, string>;
  /** what in the file could not be read */
  readonly problems: readonly string[];
}

const PREFIX = /^FELIX_/i;

/** The parameters in an environment, and those in the file at `path`. */
export async function readLocalSettings(
  env: Readonly<Record<string, string | undefined>>,
  path: string,
): Promise<LocalSettings> {
  const { values, problems } = await readConfigFile(path);
  const environment = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && PREFIX.test(name) ? [[name.replace(PREFIX, ''), value] as const] : [],
  );
  const level = env['CALICO_LOG_LEVEL'];
  const isSaid = environment.some(([name]) => name.toLowerCase() === 'logseverityscreen');
  if (level !== undefined && level !== '' && !isSaid) environment.push(['LogSeverityScreen', level]);
  return {
    environment: new Map(environment),
    file: new Map(values),
    problems: problems.map(problem => `${path}: ${problem}`),
  };
}

/** The values as far as environment and file decide them. */
export function localValues({ environment, file }: LocalSettings): FelixConfig {
  const none = new Map<string, string>();
  const sources = { environment, file, 'datastore, this host': none, 'datastore, global': none };
  return resolveConfig(sources).values;
}

/** Somebody who works by the configuration: called with each new one. */
export type Follower = (config: FelixConfig) => void | Promise<void>;

/** The agent's configuration as it is in force: local at first, then with what the datastore says. */
export class FelixSettings {
  readonly #local: LocalSettings;
  readonly #node: string;
  readonly #log: Logger;
  readonly #global = new Map<string, string>();
  readonly #host = new Map<string, string>();
  readonly #followers: Follower[] = [];
  #told = new Set<string>();
  #resolved: Resolved;
  #pending: readonly string[] = [];
  #datastoreKnown = false;

  /** Throws `invalid` when a local value is wrong whose default could open or close too much. */
  constructor({ local, node, log }: { local: LocalSettings; node: string; log: Logger }) {
    this.#local = local;
    this.#node = node;
    this.#log = log;
    this.#resolved = this.#resolve(undefined);
    if (this.#resolved.refusals.length > 0)
      throw new CalicoError('invalid', this.#resolved.refusals.join('\n'));
    this.#tell();
  }

  get values(): FelixConfig {
    return this.#resolved.values;
  }

  /** What is not as it should be, as lines for people. */
  get problems(): readonly string[] {
    const { dropActionOverride } = this.values;
    const open = dropActionOverride.endsWith('accept')
      ? ['DropActionOverride accepts what should be dropped: no policy is enforced on this host']
      : [];
    return [...this.#local.problems, ...this.#resolved.problems, ...this.#pending, ...open];
  }

  /** Each parameter that is not at its default: its value as text, and where that comes from. */
  describe(): Readonly<Record<string, { readonly value: string; readonly from: string }>> {
    return Object.fromEntries(
      [...this.#resolved.origins].map(([key, from]) => [
        parameters[key].name,
        { value: textOf(key, this.values), from },
      ]),
    );
  }

  /** Calls now, and again after each change. */
  async follow(follower: Follower): Promise<void> {
    this.#followers.push(follower);
    await follower(this.values);
  }

  /** Takes the settings in an event of the cluster; resolves when all who follow have taken the change. */
  async handle(event: ClusterEvent): Promise<void> {
    let touched = false;
    for (const change of event.changes) {
      if (change.kind !== 'setting' || change.setting.component !== 'felix') continue;
      const { node, name } = change.setting;
      if (node !== undefined && node !== this.#node) continue;
      const target = node === undefined ? this.#global : this.#host;
      if (change.value === undefined) target.delete(name);
      else target.set(name, change.value);
      touched = true;
    }
    if (touched) await this.#change();
    this.#datastoreKnown ||= event.inSync;
  }

  async #change(): Promise<void> {
    const before = this.values;
    const resolved = this.#resolve(before);
    // What the first listing says counts at this start; later such a parameter has to wait for the next.
    const waits = (key: ParameterKey): boolean =>
      this.#datastoreKnown && 'needsRestart' in parameters[key] && differs(key, before, resolved.values);
    const waiting = keys.filter(waits);
    const kept = Object.fromEntries(waiting.map(key => [key, before[key]]));
    this.#pending = waiting.map(
      key => `${parameters[key].name} becomes ${textOf(key, resolved.values)} at the next start`,
    );
    this.#resolved = { ...resolved, values: { ...resolved.values, ...kept } };
    this.#tell();
    if (!keys.some(key => differs(key, before, this.values))) return;
    for (const key of keys) {
      if (!differs(key, before, this.values)) continue;
      this.#log.info('a parameter changed', {
        parameter: parameters[key].name,
        value: textOf(key, this.values),
      });
    }
    for (const follower of this.#followers) await this.#call(follower);
  }

  async #call(follower: Follower): Promise<void> {
    try {
      await follower(this.values);
    } catch (error) {
      this.#log.error('a change of the configuration is not in force', { error: messageOf(error) });
    }
  }

  #resolve(previous: FelixConfig | undefined): Resolved {
    const sources = {
      environment: this.#local.environment,
      file: this.#local.file,
      'datastore, this host': this.#host,
      'datastore, global': this.#global,
    };
    return resolveConfig(sources, previous);
  }

  /** Each problem when it appears, not with every change. */
  #tell(): void {
    const { problems } = this;
    for (const problem of problems) if (!this.#told.has(problem)) this.#log.warn(`configuration: ${problem}`);
    this.#told = new Set(problems);
  }
}

// The keys of the table, which the type of a record does not tell.
const keys = Object.keys(parameters) as readonly ParameterKey[];

/** The value of one parameter as an operator would write it. */
function textOf(key: ParameterKey, config: FelixConfig): string {
  const { type }: { readonly type: { format(value: unknown): string } } = parameters[key];
  return type.format(config[key]);
}

function differs(key: ParameterKey, a: FelixConfig, b: FelixConfig): boolean {
  return textOf(key, a) !== textOf(key, b);
}
