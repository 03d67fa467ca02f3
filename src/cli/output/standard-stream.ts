import { outputTo } from './output.js';
import type { Output } from './output.js';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * Standard output (1) or standard error (2). Written without Node's streams, which cost milliseconds to set up,
 * until the far end is slow and does not block. A reader that has gone away, such as `head`, wants no more:
 * what follows is dropped, and that is no failure; `onGone` is told of it, once.
 */
export function standardStream(descriptor: 1 | 2, onGone: () => void = () => undefined): Output {
  // An import would evaluate all that node:fs can lazily load, streams included.
  const { writeSync } = process.getBuiltinModule('node:fs');
  let stream: NodeJS.WritableStream | undefined;
  let isGone = false;

  const leave = (): void => {
    if (!isGone) onGone();
    isGone = true;
  };

  const writeToStream = (bytes: Uint8Array): void => {
    if (stream === undefined) {
      stream = descriptor === 1 ? process.stdout : process.stderr;
      stream.on('error', leave);
    }
    stream.write(bytes);
  };

  const writeToDescriptor = (text: string): void => {
    let bytes = Buffer.from(text);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(descriptor, bytes));
    } catch (error) {
      if (codeOf(error) === 'EPIPE') leave();
      else if (codeOf(error) === 'EAGAIN') writeToStream(bytes);
      else throw error;
    }
  };

  return outputTo(text => {
    if (isGone) return;
    if (stream === undefined) writeToDescriptor(text);
    else writeToStream(Buffer.from(text));
  });
}

/** True when standard output (1) or standard error (2) is a terminal. */
export function isTerminal(descriptor: 1 | 2): boolean {
  return process.getBuiltinModule('node:tty').isatty(descriptor);
}
