export type { CellContext, Column } from './definition.js';
export type { PortSpec } from './named-port.js';
export { parseDocument, parseResource } from './document.js';
export type { ParsedDocument, ParsedResource } from './document.js';
export { jsonTypeOf, plainText } from './problem.js';
export type { LegacyText, Problem } from './problem.js';
export {
  columns,
  identify,
  isKind,
  jsonSchema,
  kindOfWord,
  kinds,
  missingIdentifier,
  toJson,
} from './registry.js';
export type { Kind, Metadata, Resource, ResourceOf, Spec } from './registry.js';
export type { EntitySpec, RuleSpec } from './rule.js';
export { suggestField } from './suggest-field.js';
