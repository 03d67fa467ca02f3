export type { Selector } from './selector.js';
