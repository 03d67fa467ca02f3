import { identify, missingIdentifier } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { visible } from '../output/index.js';

/** Where in the files a resource stands. */
export interface ResourcePlace {
  readonly input: string;
  /** counted from 1, empty documents included */
  readonly document: number;
  /** counted from 1 in its document, lists expanded; absent in a document of one resource */
  readonly member?: number;
}

/** `f.yaml, document 2, resource 3`. */
export function placeName({ input, document, member }: ResourcePlace): string {
  const which = member === undefined ? '' : `, resource ${String(member)}`;
  return `${input}, document ${String(document)}${which}`;
}

/** Messages that are shown. */
const MOST_MESSAGES = 100;

/** A line for each resource that an earlier one has given already: which of them is meant nobody can know. */
export function describeRepeated(
  resources: readonly Resource[],
  places: readonly ResourcePlace[],
): readonly string[] {
  const first = new Map<string, ResourcePlace>();
  const lines: string[] = [];
  for (const [index, resource] of resources.entries()) {
    const place = places[index];
    if (place === undefined) continue;
    const identity = identify(resource);
    const before = first.get(identity);
    if (before === undefined) first.set(identity, place);
    // One without a name may get any, such as a workload endpoint that is created.
    else if (missingIdentifier(resource) === undefined) {
      const text = `${identity} is given more than once (${placeName(place)}: expected each resource once; it is in ${placeName(before)} too)`;
      lines.push(visible(text));
    }
  }
  const hidden = lines.length - MOST_MESSAGES;
  return hidden > 0 ? [...lines.slice(0, MOST_MESSAGES), `-  (+ ${String(hidden)} more)`] : lines;
}
