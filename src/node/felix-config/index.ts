export { FelixSettings, localValues, readLocalSettings } from './felix-settings.js';
export type { LocalSettings } from './felix-settings.js';
export type { FelixConfig } from './parameters.js';
