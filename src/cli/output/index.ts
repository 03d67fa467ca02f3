export { formatBox } from './box.js';
export { formatJson } from './json.js';
export type { Output } from './output.js';
export { standardStream } from './standard-stream.js';
export { formatStructured, isStructured } from './structured.js';
export { formatTable } from './table.js';
export { visible } from './visible.js';
export { formatYaml } from './yaml.js';
