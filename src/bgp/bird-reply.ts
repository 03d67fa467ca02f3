import { CalicoError } from '../base/index.js';

/** One line of a reply, without its code; continuation lines carry the code of the line before them. */
export interface ReplyLine {
  readonly code: number;
  readonly text: string;
}

/** What BIRD answered to one command. */
export interface BirdReply {
  /** code of the last line: 0 to 99 done, 8000 and up refused or wrong */
  readonly code: number;
  /** all lines, the last one included unless it is empty */
  readonly lines: readonly ReplyLine[];
}

/** Far more than any reply to our commands; a peer that says more is not BIRD. */
const MAX_REPLY_BYTES = 16 * 1024 * 1024;

/**
 * Cuts what comes out of BIRD's control socket into replies. A line `NNNN-text` says that more follow,
 * ` text` goes on with the code before it, `NNNN text` ends the reply, `+text` is a message to the console.
 * Anything else is a CalicoError `corrupt`.
 */
export class ReplyReader {
  #rest = '';
  #size = 0;
  #lines: ReplyLine[] = [];

  /** The replies that `chunk` completes. */
  push(chunk: string): readonly BirdReply[] {
    this.#size += chunk.length;
    const pieces = (this.#rest + chunk).split('\n');
    this.#rest = pieces.pop() ?? '';
    const replies = pieces.flatMap(piece => this.#line(piece));
    if (this.#size > MAX_REPLY_BYTES) throw unexpected('a reply without end');
    return replies;
  }

  #line(line: string): readonly BirdReply[] {
    if (line.startsWith('+')) return [];
    const start = /^([0-9]{4})([- ])(.*)$/.exec(line);
    if (start === null) {
      const last = this.#lines.at(-1);
      if (!line.startsWith(' ') || last === undefined) throw unexpected(line);
      this.#lines.push({ code: last.code, text: line.slice(1) });
      return [];
    }
    const [, codeText, separator, text = ''] = start;
    const code = Number(codeText);
    const isLast = separator === ' ';
    if (!isLast || text !== '') this.#lines.push({ code, text });
    if (!isLast) return [];
    const reply = { code, lines: this.#lines };
    this.#lines = [];
    this.#size = this.#rest.length;
    return [reply];
  }
}

function unexpected(line: string): CalicoError {
  return new CalicoError('corrupt', `unexpected output line from BIRD: ${JSON.stringify(line.slice(0, 80))}`);
}
