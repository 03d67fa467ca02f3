export { formatBox } from './box.js';
export { formatJson } from './json.js';
export { unifiedDiff } from './line-diff.js';
export type { Output } from './output.js';
export { isTerminal, standardStream } from './standard-stream.js';
export { formatStructured, isStructured } from './structured.js';
export { columnWidths, formatRow, formatTable } from './table.js';
export { visible } from './visible.js';
export { formatYaml } from './yaml.js';
