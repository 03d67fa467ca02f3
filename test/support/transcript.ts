/** A command of a transcript in the docs, and what it printed there. */
export interface TranscriptStep {
  readonly words: readonly string[];
  /** lines; `...` stands for any number of lines */
  readonly output: readonly string[];
}

/** The commands (`$ …`) in the code blocks of one section of a Markdown page, with what stands below each. */
export function transcriptOf(page: string, section: string): readonly TranscriptStep[] {
  const start = page.indexOf(`\n## ${section}\n`);
  if (start < 0) throw new Error(`no section '${section}'`);
  const text = page.slice(start + 1).split(/\n## /)[0] ?? '';
  const blocks = [...text.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => block);
  return blocks.flatMap(block =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(step => {
        const [command = '', ...output] = step.replace(/\n$/, '').split('\n');
        return { words: command.split(' '), output: output.filter(line => line !== '') };
      }),
  );
}

/** The line with everything taken out that is another in every run: times, addresses, numbers, widths. */
export function timeless(line: string): string {
  return line
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replaceAll(/\b\d+(?:\.\d+)? ms\b/g, 'N ms')
    .replaceAll(/\b\d+\.\d+\.\d+\.\d+\b/g, 'ADDRESS')
    .replaceAll(/\b[0-9a-f]+:[0-9a-f:]*:[0-9a-f]+\b/g, 'ADDRESS')
    .replace(/^\d+(?= +TIME)/, 'REVISION')
    .replaceAll(/\brevision \d+/g, 'revision N')
    .replaceAll(/ +/g, ' ')
    .trimEnd();
}

/** A pattern that the output of a command has to match as a whole. */
export function patternOf(output: readonly string[]): RegExp {
  const lines = output.map(line => (line === '...' ? '(?:.*\\n)*' : `${RegExp.escape(timeless(line))}\\n`));
  return new RegExp(`^${lines.join('')}$`);
}
