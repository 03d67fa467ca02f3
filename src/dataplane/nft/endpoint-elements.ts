import { dropFor } from './drops.js';
import type { ElementValue, Verdict } from './model.js';

export type ElementsByMap = Map<string, Map<string, ElementValue>>;

export function setElement(elements: ElementsByMap, map: string, key: string, value: ElementValue): void {
  elements.set(map, (elements.get(map) ?? new Map<string, ElementValue>()).set(key, value));
}

/** On to that chain; where there is none, nothing allows the packet. */
export function goTo(chain: string | undefined): Verdict {
  return chain === undefined ? dropFor('no-profile') : { kind: 'goto', chain };
}
