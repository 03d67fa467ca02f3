export { executeTemplate } from './evaluate.js';
export { parseTemplate } from './parser.js';
export { listValue } from './resource-values.js';
export { TemplateError } from './template-error.js';
