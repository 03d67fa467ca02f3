import { nearestWord } from '../../base/index.js';
import { columns, toJson } from '../../resources/index.js';
import type { CellContext, Kind, Resource } from '../../resources/index.js';
import type { ExitCode } from '../command.js';
import { formatJson, formatTable, formatYaml, visible } from '../output/index.js';
import type { Output } from '../output/index.js';
import { resourceName } from '../resource-name.js';

/** The resources that one query found. */
export interface Answer {
  readonly kind: Kind;
  readonly resources: readonly Resource[];
}

/** How answers are shown: `-o`. */
export type OutputFormat =
  | { readonly kind: 'ps' | 'wide' }
  | { readonly kind: 'yaml' | 'json' | 'name' }
  | { readonly kind: 'custom-columns'; readonly headings: readonly string[] }
  /** the template itself, or the path of a file with it */
  | { readonly kind: 'go-template' | 'go-template-file'; readonly text: string };

export type TemplateFormat = Extract<OutputFormat, { kind: 'go-template' | 'go-template-file' }>;

/** True for the formats that take a template. */
export function isTemplate(format: OutputFormat): format is TemplateFormat {
  return format.kind === 'go-template' || format.kind === 'go-template-file';
}

export type ParsedFormat =
  | { readonly ok: true; readonly format: OutputFormat }
  | { readonly ok: false; readonly message: string };

const FORMATS: readonly OutputFormat['kind'][] = [
  'ps',
  'wide',
  'yaml',
  'json',
  'name',
  'custom-columns',
  'go-template',
  'go-template-file',
];

/** Reads `-o`: exact words, what belongs to them behind the first `=` (`calicoctl.md` 5.1). */
export function parseOutputFormat(output: string): ParsedFormat {
  const equals = output.indexOf('=');
  const word = equals < 0 ? output : output.slice(0, equals);
  const detail = equals < 0 ? '' : output.slice(equals + 1);
  switch (word) {
    case 'ps':
    case 'wide':
      if (equals < 0) return { ok: true, format: { kind: word } };
      break;
    case 'yaml':
    case 'json':
    case 'name':
      if (equals < 0) return { ok: true, format: { kind: word } };
      break;
    case 'custom-columns':
      if (detail === '') return { ok: false, message: 'need to specify at least one column' };
      return { ok: true, format: { kind: word, headings: detail.split(',') } };
    case 'go-template':
      if (detail === '') return { ok: false, message: 'need to specify a template' };
      return { ok: true, format: { kind: word, text: detail } };
    case 'go-template-file':
      if (detail === '') return { ok: false, message: 'need to specify a template file' };
      return { ok: true, format: { kind: word, text: detail } };
  }
  const meant = nearestWord(word, FORMATS);
  const hint = meant === undefined || meant === output ? '' : ` (did you mean '${meant}'?)`;
  return { ok: false, message: `unrecognized output format '${output}'${hint}` };
}

function headingsOf(kind: Kind, format: TableFormat): readonly string[] {
  if (format.kind === 'custom-columns') return format.headings;
  return columns(kind)
    .filter(({ wide, extra }) => !extra && (format.kind === 'wide' || !wide))
    .map(({ heading }) => heading);
}

/** The formats that are tables. */
export type TableFormat =
  | { readonly kind: 'ps' | 'wide' }
  | Extract<OutputFormat, { kind: 'custom-columns' }>;

/** True for the formats that are tables. */
export function isTable(format: OutputFormat): format is TableFormat {
  return format.kind === 'ps' || format.kind === 'wide' || format.kind === 'custom-columns';
}

/** Headings and rows of one answer, or what to say of a heading that its kind does not have. */
export function tableRows(
  { kind, resources }: Answer,
  format: TableFormat,
  context: CellContext,
):
  | { readonly headings: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly unknown: string } {
  const known = columns(kind);
  const headings = headingsOf(kind, format);
  const unknown = headings.find(heading => !known.some(column => column.heading === heading));
  if (unknown !== undefined) {
    const valid = known.map(({ heading }) => heading).join(', ');
    return { unknown: `Unknown heading ${unknown}, valid values are: ${valid}` };
  }
  const chosen = headings.flatMap(heading => known.filter(column => column.heading === heading));
  const rows = resources.map(resource => chosen.map(column => column.cell(resource, context)));
  return { headings, rows };
}

export interface PrintRequest {
  readonly answers: readonly Answer[];
  readonly format: Exclude<OutputFormat, TemplateFormat>;
  readonly context: CellContext;
  readonly out: Output;
}

/** Prints one table for each answer, or all resources as one list in YAML, JSON, or of their names. */
export function printAnswers({ answers, format, context, out }: PrintRequest): ExitCode {
  if (isTable(format)) return printTables(answers, format, { context, out });
  const all = answers.flatMap(({ resources }) => resources);
  switch (format.kind) {
    case 'yaml':
      out.text(formatYaml(all.map(toJson)));
      break;
    case 'json':
      out.text(formatJson(all.map(toJson)));
      break;
    case 'name':
      out.text(all.map(each => `${visible(resourceName(each))}\n`).join(''));
  }
  return 0;
}

function printTables(
  answers: readonly Answer[],
  format: TableFormat,
  { context, out }: Pick<PrintRequest, 'context' | 'out'>,
): ExitCode {
  const tables: string[] = [];
  for (const answer of answers) {
    const result = tableRows(answer, format, context);
    if ('unknown' in result) {
      out.line(visible(result.unknown));
      return 1;
    }
    tables.push(formatTable(result.headings, result.rows));
  }
  out.text(tables.join(''));
  return 0;
}
