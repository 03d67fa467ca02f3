import { createHistory } from '../../../datastore/index.js';
import type { History } from '../../../datastore/index.js';
import type { CommandServices } from '../../command.js';

/** The history of the datastore; a failure to connect is worded as the commands for resources do it. */
export async function openHistory({
  client,
  datastore,
  author,
  clock,
}: Pick<CommandServices, 'client' | 'datastore' | 'author' | 'clock'>): Promise<History> {
  await client();
  return createHistory((await datastore()).store, { author: author(), clock });
}

/** A number of a revision as it was typed; undefined when it is none. */
export function parseRevision(text: string): number | undefined {
  const number = Number(text);
  return /^\d{1,16}$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}

/** What to say of a revision that is none. */
export function badRevision(option: string, text: string): string {
  return `${option}='${text}': expected the number of a revision, as calicoctl history tells it`;
}
