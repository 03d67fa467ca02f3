/** A piece of a file that holds one YAML document. */
export interface DocumentText {
  readonly text: string;
  /** lines of the file before it */
  readonly firstLine: number;
}

function countNewlines(text: string, start: number, end: number): number {
  let count = 0;
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++;
  return count;
}

/**
 * Cuts a file before each `---` line, so that documents are read one at a time and an error knows its document.
 * YAML allows such a line nowhere else, not even in a quoted text. A file with directives is left whole.
 */
export function* splitDocuments(text: string): Generator<DocumentText> {
  if (/^%/m.test(text)) {
    yield { text, firstLine: 0 };
    return;
  }
  let start = 0;
  let firstLine = 0;
  for (const { index } of text.matchAll(/^---(?=[ \t\r\n]|$)/gm)) {
    if (index > start) {
      yield { text: text.slice(start, index), firstLine };
      firstLine += countNewlines(text, start, index);
    }
    start = index;
  }
  yield { text: text.slice(start), firstLine };
}
