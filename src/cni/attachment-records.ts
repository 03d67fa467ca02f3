import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Attachment } from './attachment.js';
import { hostInterfaceOf } from './attachment.js';
import { asList, asObject } from './json.js';
import { decodeRequest, encodeRequest } from './protocol.js';
import type { CniRequest } from './protocol.js';

/**
 * What the host itself remembers of one attachment, so that it can be taken apart without the runtime, by GC
 * and after a crash, and whatever IPAM plugin it has its addresses from.
 */
export interface AttachmentRecord {
  /** `adding` and `deleting` are work that a crash cut off, unless it goes on this moment */
  readonly state: 'adding' | 'added' | 'deleting';
  readonly hostName: string;
  /** canonical; none before the ADD is done */
  readonly addresses: readonly string[];
  /** the ADD, as the runtime sent it */
  readonly request: CniRequest;
}

/**
 * The records of this host: a file each, as they are of no use to any other host. In the folder for sockets,
 * which is memory: after a reboot there are no containers either, and a disk takes milliseconds to rename a
 * file while its journal is busy.
 */
export interface AttachmentRecords {
  read(attachment: AttachmentName): AttachmentRecord | undefined;
  write(record: AttachmentRecord): void;
  remove(attachment: AttachmentName): void;
  /** Those that can be read. */
  list(): readonly AttachmentRecord[];
}

type AttachmentName = Pick<Attachment, 'containerId' | 'ifName'>;

/** The record of an attachment in a state; `request` is its ADD. */
export function recordOf(
  state: AttachmentRecord['state'],
  of: {
    readonly attachment: Attachment;
    readonly request: CniRequest;
    readonly addresses: readonly string[];
  },
): AttachmentRecord {
  return { state, hostName: hostInterfaceOf(of.attachment), addresses: of.addresses, request: of.request };
}

/** Keeps records below `runDir`. A configuration may hold secrets: only root may read them. */
export function openAttachmentRecords(runDir: string): AttachmentRecords {
  const folder = join(runDir, 'cni-attachments');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pathOf = ({ containerId, ifName }: AttachmentName): string =>
    join(folder, `${containerId}.${ifName}`);
  return {
    read: attachment => readRecord(pathOf(attachment)),
    write: record => {
      const { containerId, ifName } = record.request;
      const draft = join(folder, `.${containerId}.${ifName}`);
      writeFileSync(draft, formatRecord(record), { mode: 0o600 });
      renameSync(draft, pathOf(record.request));
    },
    remove: attachment => {
      rmSync(pathOf(attachment), { force: true });
    },
    list: () =>
      readdirSync(folder)
        .filter(name => !name.startsWith('.'))
        .flatMap(name => readRecord(join(folder, name)) ?? []),
  };
}

function formatRecord({ state, hostName, addresses, request }: AttachmentRecord): string {
  return JSON.stringify({ state, hostName, addresses, request: encodeRequest(request).toString('utf8') });
}

function readRecord(path: string): AttachmentRecord | undefined {
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  try {
    const { state, hostName, addresses, request } = asObject(JSON.parse(text)) ?? {};
    if (typeof hostName !== 'string' || typeof request !== 'string') return undefined;
    return {
      state: state === 'added' || state === 'deleting' ? state : 'adding',
      hostName,
      addresses: asList(addresses).filter(address => typeof address === 'string'),
      request: decodeRequest(Buffer.from(request, 'utf8')),
    };
  } catch {
    // Cut off or changed by hand: as good as none.
    return undefined;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
