export type { InputSource } from './read-input.js';
export { readManifests } from './read-manifests.js';
