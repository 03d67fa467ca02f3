export { canonicalText, selectorId } from './canonical.js';
export { matches } from './evaluate.js';
export { parseSelector } from './parser.js';
export type { ParsedSelector } from './parser.js';
export type { Selector } from './selector.js';
