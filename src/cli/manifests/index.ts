export type { InputSources } from './read-input.js';
export { readManifests } from './read-manifests.js';
