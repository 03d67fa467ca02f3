import { CalicoError } from '../base/index.js';

/**
 * What a launcher sends: the environment and standard input that a container runtime gave it. The same
 * bytes are a queued DEL on disk. `native/calico-cni.c` writes them too; change both together.
 *
 *     request = field*       field = NAME SP LENGTH LF BYTES LF     (then the sender closes its side)
 *     answer  = EXIT SP LENGTH LF BYTES                             (then the agent closes the connection)
 *
 * Lengths are decimal and count bytes; EXIT is the exit code, BYTES what goes to standard output.
 */
export interface CniRequest {
  /** the name the launcher was called by */
  readonly program: 'calico' | 'calico-ipam';
  /** CNI_COMMAND and so on; empty when not set */
  readonly command: string;
  readonly containerId: string;
  readonly netns: string;
  readonly ifName: string;
  readonly args: string;
  /** CNI_PATH: the folders of the plugins */
  readonly path: string;
  readonly stdin: string;
}

export interface CniAnswer {
  readonly exitCode: number;
  readonly stdout: string;
}

const fieldNames = {
  program: 'PROGRAM',
  command: 'CNI_COMMAND',
  containerId: 'CNI_CONTAINERID',
  netns: 'CNI_NETNS',
  ifName: 'CNI_IFNAME',
  args: 'CNI_ARGS',
  path: 'CNI_PATH',
  stdin: 'STDIN',
} as const satisfies Record<keyof CniRequest, string>;

/** Largest request: far more than any network configuration. */
export const maxRequestBytes = 8 * 1024 * 1024;

export function encodeRequest(request: CniRequest): Buffer {
  const parts = Object.entries(fieldNames).map(([field, name]) => {
    const bytes = Buffer.from(request[field as keyof CniRequest], 'utf8');
    return Buffer.concat([Buffer.from(`${name} ${String(bytes.length)}\n`), bytes, Buffer.from('\n')]);
  });
  return Buffer.concat(parts);
}

/** Reads a request; unknown fields are ignored, so that an older agent understands a newer launcher. */
export function decodeRequest(bytes: Buffer): CniRequest {
  const fields = new Map<string, string>();
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\n', at);
    const header = /^([A-Z_]+) ([0-9]+)$/.exec(bytes.toString('latin1', at, Math.max(at, lineEnd)));
    const end = lineEnd + 1 + Number(header?.[2]);
    if (header?.[1] === undefined || bytes[end] !== 0x0a) {
      throw new CalicoError('invalid', `CNI request: malformed or cut off at byte ${String(at)}`);
    }
    fields.set(header[1], bytes.toString('utf8', lineEnd + 1, end));
    at = end + 1;
  }
  if (!fields.has(fieldNames.stdin)) throw new CalicoError('invalid', 'CNI request: cut off before its end');
  const field = (name: keyof CniRequest): string => fields.get(fieldNames[name]) ?? '';
  const program = field('program');
  if (program !== 'calico' && program !== 'calico-ipam') {
    throw new CalicoError('invalid', `CNI request: unknown program ${program}`);
  }
  return {
    program,
    command: field('command'),
    containerId: field('containerId'),
    netns: field('netns'),
    ifName: field('ifName'),
    args: field('args'),
    path: field('path'),
    stdin: field('stdin'),
  };
}

export function encodeAnswer({ exitCode, stdout }: CniAnswer): Buffer {
  const bytes = Buffer.from(stdout, 'utf8');
  return Buffer.concat([Buffer.from(`${String(exitCode)} ${String(bytes.length)}\n`), bytes]);
}

/** Undefined for an answer that is cut off: the agent went away. */
export function decodeAnswer(bytes: Buffer): CniAnswer | undefined {
  const lineEnd = bytes.indexOf('\n');
  const header = /^([0-9]+) ([0-9]+)$/.exec(bytes.toString('latin1', 0, Math.max(0, lineEnd)));
  if (header === null || bytes.length !== lineEnd + 1 + Number(header[2])) return undefined;
  return { exitCode: Number(header[1]), stdout: bytes.toString('utf8', lineEnd + 1) };
}
