import { CalicoError } from '../../base/index.js';
import { readInput } from '../manifests/read-input.js';
import { executeTemplate, listValue, parseTemplate, TemplateError } from '../template/index.js';
import type { Answer, TemplateFormat } from './print-answers.js';

/** What `config "asnumber"` answers; undefined when it could not be read. */
interface TemplateSettings {
  readonly globalAsNumber: number | undefined;
}

/** The text of answers in the form that a template gives them; throws `invalid` where it does not fit them. */
export type TemplatePrinter = (answers: readonly Answer[], settings: TemplateSettings) => string;

function inOwnWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new CalicoError('invalid', error.message, { cause: error });
  }
}

/** Reads and parses the template of `-o`; throws `invalid` for one that cannot be read or is none. */
export async function templatePrinter({ kind, text }: TemplateFormat): Promise<TemplatePrinter> {
  const stdin = (): never => {
    throw new CalicoError('invalid', 'a template is not read from standard input');
  };
  const source = kind === 'go-template' ? text : await readInput({ filename: text, stdin });
  const template = inOwnWords(() => parseTemplate(source));
  return (answers, { globalAsNumber }) => {
    const data = answers.map(answer => listValue(answer.kind, answer.resources));
    const config = (name: string): string | undefined =>
      name === 'asnumber' && globalAsNumber !== undefined ? String(globalAsNumber) : undefined;
    return inOwnWords(() => executeTemplate(template, data, { config }));
  };
}
