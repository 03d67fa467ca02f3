import { isCalicoError } from '../../../base/index.js';
import type { ResourceClient } from '../../../datastore/index.js';
import type { CellContext } from '../../../resources/index.js';
import type { CommandServices, ExitCode } from '../../command.js';
import { visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { isTemplate, printAnswers } from '../print-answers.js';
import type { Answer, OutputFormat } from '../print-answers.js';
import { answersTo } from './queries.js';
import type { LabelFilter, Query } from './queries.js';

const DEFAULT_AS_NUMBER = 64_512;

/** The AS number of nodes that have none of their own; undefined when what is stored is none. */
export async function globalAsNumber(client: ResourceClient): Promise<number | undefined> {
  const { parseAsNumber } = await import('../../../net/index.js');
  const value = await client.getSetting({ component: 'bgp', name: 'as_num' });
  return value === undefined ? DEFAULT_AS_NUMBER : parseAsNumber(value);
}

/** Prints answers; `needsAsNumber` says whether that takes the AS number of nodes without their own. */
interface Printer {
  needsAsNumber(queries: readonly Query[]): boolean;
  print(answers: readonly Answer[], context: CellContext): ExitCode;
}

async function printerFor(format: OutputFormat, out: Output): Promise<Printer> {
  if (!isTemplate(format)) {
    return {
      needsAsNumber: queries => queries.some(({ kind }) => kind === 'node'),
      print: (answers, context) => printAnswers({ answers, format, context, out }),
    };
  }
  const { templatePrinter } = await import('../print-template.js');
  const print = await templatePrinter(format);
  return {
    needsAsNumber: () => true,
    print: (answers, context) => {
      out.text(print(answers, context));
      return 0;
    },
  };
}

export interface ShowRequest {
  readonly queries: readonly Query[];
  readonly isWanted: LabelFilter;
  readonly format: OutputFormat;
}

/** Prints what is stored for the queries. */
export async function show(
  { queries, isWanted, format }: ShowRequest,
  { out, ...services }: Pick<CommandServices, 'out' | 'client'>,
): Promise<ExitCode> {
  const printer = await printerFor(format, out);
  const client = await services.client();
  let answers: readonly Answer[];
  let context: CellContext;
  try {
    answers = await answersTo(queries, isWanted, client);
    const asNumber = printer.needsAsNumber(queries) ? await globalAsNumber(client) : undefined;
    context = { globalAsNumber: asNumber };
  } catch (error) {
    if (!isCalicoError(error)) throw error;
    out.line(`Failed to get resources: ${visible(error.message)}`);
    return 1;
  }
  return printer.print(answers, context);
}
