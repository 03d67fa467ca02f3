import { nearestWord } from '../../base/index.js';
import { jsonSchema, kindOfWord, kinds, suggestField } from '../../resources/index.js';
import type { Kind } from '../../resources/index.js';
import { defineCommand, required, text } from '../command.js';
import { explainHelp } from '../help/review.js';
import { formatJson, visible } from '../output/index.js';
import type { Output } from '../output/index.js';
import { schemaOf } from '../schema-fields.js';
import type { SchemaField } from '../schema-fields.js';

function hintFor(word: string, known: readonly string[]): string {
  const meant = nearestWord(word, known);
  return meant === undefined ? '' : ` (did you mean '${meant}'?)`;
}

/** The field that the names lead to, or what to say of the first that does not exist. */
function fieldAt(kind: Kind, path: readonly string[]): SchemaField | string {
  let field = schemaOf(kind);
  for (const [index, name] of path.entries()) {
    const next = field.fields.find(each => each.name.toLowerCase() === name.toLowerCase());
    if (next === undefined) {
      const names = field.fields.map(each => each.name);
      const meant = suggestField(jsonSchema(kind), path.slice(0, index + 1).join('.'));
      const hint =
        meant === undefined ? '' : ` (did you mean ${kind}.${meant.replaceAll(' or ', ` or ${kind}.`)}?)`;
      const choice = names.length === 0 ? 'it has no fields' : `it has ${names.join(', ')}`;
      return `${field.name} has no field '${visible(name)}'${hint}; ${choice}`;
    }
    field = next;
  }
  return field;
}

function print(path: string, field: SchemaField, out: Output): void {
  out.line(`FIELD:    ${path}`);
  out.line(`TYPE:     ${field.type}`);
  out.line(`EXPECTED: ${field.description}`);
  if (field.fields.length === 0) return;
  out.line();
  out.line('FIELDS:');
  const width = Math.max(...field.fields.map(({ name }) => name.length)) + 2;
  for (const { name, type, description, fields } of field.fields) {
    const more = fields.length > 0 ? ` (${fields.map(each => each.name).join(', ')})` : '';
    out.line(`  ${name.padEnd(width)}${type}: ${fields.length > 0 ? `fields${more}` : description}`);
  }
}

export const explainCommand = defineCommand({
  path: ['explain'],
  help: explainHelp,
  options: { field: required('<FIELD>'), output: text('--output') },
  run: ({ options: { field: asked, output = 'ps' }, out }) => {
    const [word = '', ...path] = asked.split('.');
    const kind = kindOfWord(word);
    if (kind === undefined) {
      out.line(`Resource type '${visible(word)}' is not supported${hintFor(word, kinds)}`);
      return 1;
    }
    if (output !== 'ps' && output !== 'json') {
      out.line(`unrecognized output format '${visible(output)}'`);
      return 1;
    }
    if (output === 'json') {
      out.text(formatJson(jsonSchema(kind)));
      return 0;
    }
    const field = fieldAt(kind, path);
    if (typeof field === 'string') {
      out.line(field);
      return 1;
    }
    print([kind, ...path].join('.'), field, out);
    return 0;
  },
});
