export { placeName } from './find-repeated.js';
export type { ResourcePlace } from './find-repeated.js';
export type { InputSources } from './read-input.js';
export { readDocument } from './read-document.js';
export { readManifests } from './read-manifests.js';
