import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
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

/** The records of this host: a file each, as they are of no use to any other host. */
export interface AttachmentRecords {
  read(attachment: AttachmentName): Promise<AttachmentRecord | undefined>;
  write(record: AttachmentRecord): Promise<void>;
  remove(attachment: AttachmentName): Promise<void>;
  /** Those that can be read. */
  list(): Promise<readonly AttachmentRecord[]>;
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

/** Keeps records below `stateDir`. A configuration may hold secrets: only root may read them. */
export function openAttachmentRecords(stateDir: string): AttachmentRecords {
  const folder = join(stateDir, 'cni-attachments');
  const pathOf = ({ containerId, ifName }: AttachmentName): string =>
    join(folder, `${containerId}.${ifName}`);
  return {
    read: async attachment => await readRecord(pathOf(attachment)),
    write: async record => {
      const path = pathOf(record.request);
      const draft = join(folder, `.${record.request.containerId}.${record.request.ifName}`);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Not synced: after a power cut there are no containers either.
      await writeFile(draft, formatRecord(record), { mode: 0o600 });
      await rename(draft, path);
    },
    remove: async attachment => {
      await rm(pathOf(attachment), { force: true });
    },
    list: async () => {
      const names = await readdir(folder).catch(absentAs([]));
      const records = await Promise.all(
        names.filter(name => !name.startsWith('.')).map(async name => readRecord(join(folder, name))),
      );
      return records.filter(record => record !== undefined);
    },
  };
}

function formatRecord({ state, hostName, addresses, request }: AttachmentRecord): string {
  return JSON.stringify({ state, hostName, addresses, request: encodeRequest(request).toString('utf8') });
}

async function readRecord(path: string): Promise<AttachmentRecord | undefined> {
  const text = await readFile(path, 'utf8').catch(absentAs(undefined));
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

function absentAs<T>(value: T): (error: unknown) => T {
  return error => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return value;
    throw error;
  };
}
