import { createReadStream } from 'node:fs';
import { CalicoError, messageOf } from '../../base/index.js';

/** Input beyond this is refused: some 40,000 resources, and still no harm to the memory of a small machine. */
const LARGEST_INPUT = 16 * 1024 * 1024;

const SYSTEM_TEXTS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a directory',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
};

/** What was given with `-f`, and where standard input is. */
export interface InputSources {
  /** paths of files and directories, or `-` for standard input */
  readonly filenames: readonly string[];
  /** whether directories below a directory count */
  readonly recursive?: boolean;
  /** whether a resource may be given more than once */
  readonly repeatable?: boolean;
  readonly stdin: InputSource['stdin'];
}

export interface InputSource {
  /** a path, or `-` for standard input */
  readonly filename: string;
  readonly stdin: () => AsyncIterable<Uint8Array>;
}

/** How messages name an input. */
export function inputName(filename: string): string {
  return filename === '-' ? 'standard input' : filename;
}

/** The failure to open or read an input, in one line. */
export function inputFailure(filename: string, error: unknown): CalicoError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = code === 'EISDIR' ? 'read' : 'open';
  const text = SYSTEM_TEXTS[code] ?? messageOf(error);
  return new CalicoError('invalid', `${what} ${filename}: ${text}`, { cause: error });
}

async function readBytes({ filename, stdin }: InputSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    if (filename.includes('\0')) throw new Error('invalid file name');
    for await (const chunk of filename === '-' ? stdin() : createReadStream(filename)) {
      // Without an encoding both streams give bytes.
      const bytes = chunk as Uint8Array;
      size += bytes.length;
      if (size > LARGEST_INPUT) {
        throw new CalicoError(
          'invalid',
          `read ${inputName(filename)}: larger than ${String(LARGEST_INPUT >> 20)} MiB`,
        );
      }
      chunks.push(bytes);
    }
  } catch (error) {
    throw error instanceof CalicoError ? error : inputFailure(filename, error);
  }
  return Buffer.concat(chunks);
}

/** The text of a file or of standard input. Fails with `invalid`, in one line, for what cannot be read as text. */
export async function readInput(source: InputSource): Promise<string> {
  const bytes = await readBytes(source);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const before = bytes.toString('utf8').split('\ufffd', 1)[0] ?? '';
    const line = String(before.split('\n').length);
    const text = `error parsing document: yaml: line ${line}: not valid UTF-8 (${inputName(source.filename)})`;
    throw new CalicoError('invalid', text, { cause: error });
  }
}
