/** Where a command writes its words. */
export interface Output {
  /** Writes the text and a newline. */
  line(text?: string): void;
  /** Writes the text as it is. */
  text(text: string): void;
}

/** An output over one write function, such as a stream's. */
export function outputTo(write: (text: string) => void): Output {
  return { line: (text = '') => write(`${text}\n`), text: write };
}
