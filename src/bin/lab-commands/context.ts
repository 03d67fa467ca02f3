import { realpathSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CalicoError } from '../../base/index.js';
import type { Clock } from '../../base/index.js';
import type { Output } from '../../cli/index.js';
import { createResourceClient, openStore } from '../../datastore/index.js';
import type { Author, ResourceClient } from '../../datastore/index.js';
import { labStore } from '../../lab/index.js';
import type { LabContext, LabPaths, LabPlan } from '../../lab/index.js';

/** Where the running program is installed: `dist/` and `bin/` stand beside each other. */
function installation(): string {
  return resolve(dirname(realpathSync(process.argv[1] ?? '.')), '..');
}

export function labPaths(env: Readonly<Record<string, string | undefined>>): LabPaths {
  return { root: env.CALICO_LAB_DIR ?? '/run/calico/lab', bin: `${installation()}/bin` };
}

/** What the lab's functions work with; a lab needs root and says so before anything is made. */
export function labContext(services: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly author: () => Author;
  readonly out: Output;
}): LabContext {
  if (process.getuid?.() !== 0) {
    throw new CalicoError('unauthorized', 'a lab needs root: it makes network namespaces');
  }
  return {
    paths: labPaths(services.env),
    clock: services.clock,
    author: services.author(),
    say: line => {
      services.out.line(line);
    },
  };
}

/** Runs `work` with a client on the lab's datastore. */
export async function withLabClient<T>(
  context: LabContext,
  plan: LabPlan,
  work: (client: ResourceClient) => Promise<T>,
): Promise<T> {
  const store = await openStore(labStore(context.paths, plan));
  try {
    return await work(createResourceClient(store, context));
  } finally {
    await store.close();
  }
}

/** The addresses of the lab's workloads by name, as the datastore has them. */
export async function workloadAddresses(
  client: ResourceClient,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const endpoints = await client.list('workloadEndpoint');
  return new Map(
    endpoints.map(({ metadata, spec }) => [
      // The lab attaches its workloads as pods of the namespace `lab`.
      metadata.workload.replace(/^lab\./, ''),
      (spec.ipNetworks ?? []).map(network => network.replace(/\/.*$/, '')),
    ]),
  );
}

/** A whole number within bounds, or `invalid` with the option's name. */
export function countOption(name: string, text: string | undefined, most: number): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > most) {
    throw new CalicoError(
      'invalid',
      `${name} '${String(text)}': expected a whole number from 1 to ${String(most)}`,
    );
  }
  return count;
}
