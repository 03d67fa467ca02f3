import { CalicoError } from '../../base/index.js';

/** Who changes something: what stands beside each revision of the history. */
export interface Author {
  /** as it was typed, or the name of a program that acts by itself: `calico-node` */
  readonly command: string;
  /** the login user where one is known */
  readonly user: string;
  /** the name of the host */
  readonly host: string;
}

/** What one commit did to one key. */
export interface KeyChange {
  readonly key: string;
  /** undefined: it was absent */
  readonly before: string | undefined;
  /** the key is there now */
  readonly present: boolean;
}

/** One revision as it is kept: not what it made of the keys, but what they were before. */
export interface ChangeRecord extends Author {
  /** Unix time in ms */
  readonly time: number;
  readonly changes: readonly KeyChange[];
}

/** The form in the store: short names, because there are many of them. */
interface StoredRecord {
  readonly t: number;
  readonly c: string;
  readonly u: string;
  readonly h: string;
  readonly k: readonly (readonly [key: string, before: string | null, present: 0 | 1])[];
}

/** Larger records are compressed: manifests shrink to about a tenth. */
const largestPlain = 1500;
/** What a command line may take of a record; it may list hundreds of files. */
const longestCommand = 500;

/** The record as text; one that is large begins with `z`, for deflated and written in base64. */
export function encodeRecord({ time, command, user, host, changes }: ChangeRecord): string {
  const stored: StoredRecord = {
    t: time,
    c: command.length > longestCommand ? `${command.slice(0, longestCommand)}…` : command,
    u: user,
    h: host,
    k: changes.map(({ key, before, present }) => [key, before ?? null, present ? 1 : 0]),
  };
  // A command line cut in two halves of a character would not be UTF-8.
  const text = JSON.stringify(stored).toWellFormed();
  return text.length <= largestPlain ? text : `z${deflated(text)}`;
}

/** Reads a record; `corrupt` when somebody else wrote over it. */
export function decodeRecord(text: string, revision: number): ChangeRecord {
  try {
    const plain = text.startsWith('z') ? inflated(text.slice(1)) : text;
    // Nobody but encodeRecord writes there.
    const { t, c, u, h, k } = JSON.parse(plain) as StoredRecord;
    const changes = k.map(([key, before, present]) => ({
      key,
      before: before ?? undefined,
      present: present === 1,
    }));
    return { time: t, command: c, user: u, host: h, changes };
  } catch (error) {
    throw new CalicoError(
      'corrupt',
      `the history of revision ${String(revision)} cannot be read: something else wrote into it`,
      { cause: error },
    );
  }
}

// The library is loaded when a record is large: most commands never need it.

function deflated(text: string): string {
  return process.getBuiltinModule('node:zlib').deflateRawSync(text).toString('base64');
}

function inflated(text: string): string {
  return process.getBuiltinModule('node:zlib').inflateRawSync(Buffer.from(text, 'base64')).toString();
}
