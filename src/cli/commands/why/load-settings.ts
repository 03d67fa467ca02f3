import type { ResourceClient } from '../../../datastore/index.js';
import { policyParameterNames, policySettingsFrom } from '../../../policy/index.js';
import type { Model } from '../../../policy/index.js';

/** What the agent of this host says of itself, as far as it decides over packets. */
export interface LocalAgent {
  readonly node: string;
  /** each parameter that is not at its default */
  readonly config: Readonly<Record<string, { readonly value: string }>>;
  /** addresses by name of the interface */
  readonly interfaces: Readonly<Record<string, readonly string[]>>;
}

type Texts = ReadonlyMap<string, string>;

/** What the datastore says for one node, or for all. */
async function textsOf(client: ResourceClient, node?: string): Promise<Texts> {
  const texts = await Promise.all(
    policyParameterNames.map(async name => {
      const text = await client.getSetting({
        component: 'felix',
        name,
        ...(node === undefined ? {} : { node }),
      });
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
  return new Map(texts.flat());
}

/**
 * The model with the parameters of the agents of those nodes: as the datastore has them, which an agent's environment
 * and file may overrule; for this host as its agent says, which also knows its interfaces.
 */
export async function withAgentSettings(
  model: Model,
  client: ResourceClient,
  { nodes, agent }: { readonly nodes: ReadonlySet<string>; readonly agent: LocalAgent | undefined },
): Promise<Model> {
  const settings = policySettingsFrom(
    (
      (all: Texts) => (name: string) =>
        all.get(name)
    )(await textsOf(client)),
  );
  const hostSettings = await Promise.all(
    [...nodes].map(async node => {
      if (node === agent?.node) return [node, policySettingsFrom(name => agent.config[name]?.value)] as const;
      const own = await textsOf(client, node);
      return [node, policySettingsFrom(name => own.get(name), settings)] as const;
    }),
  );
  const interfaces = new Map(model.interfaces);
  if (agent !== undefined) interfaces.set(agent.node, new Map(Object.entries(agent.interfaces)));
  return { ...model, settings, hostSettings: new Map(hostSettings), interfaces };
}
