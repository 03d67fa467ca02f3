import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isCalicoError, messageOf } from '../base/index.js';
import type { Logger } from '../base/index.js';
import type { AttachmentRecords } from './attachment-records.js';
import type { CniHandler } from './handler.js';
import { decodeRequest, encodeRequest } from './protocol.js';
import type { CniRequest } from './protocol.js';

/** Folder of the DELs that came while no agent ran; `native/calico-cni.c` writes there too. */
export function deleteQueueOf(stateDir: string): string {
  return join(stateDir, 'cni-deletes');
}

/** Keeps a DEL on disk, safe against a power cut, until the agent runs again. The same DEL is kept once. */
export async function queueDelete(stateDir: string, request: CniRequest): Promise<void> {
  const folder = deleteQueueOf(stateDir);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const name = `${request.program}.${request.containerId}.${request.ifName}`;
  const draft = join(folder, `.${name}`);
  await writeSynced(draft, encodeRequest(request));
  await rename(draft, join(folder, name));
  await syncFolder(folder);
}

async function writeSynced(path: string, bytes: Buffer): Promise<void> {
  const file = await open(path, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Takes apart the attachments whose ADD or DEL a crash of the agent cut off, as nobody may ever ask for it
 * again. Call it before the agent takes requests.
 */
export async function undoInterrupted(options: {
  readonly records: AttachmentRecords;
  readonly handle: CniHandler;
  readonly log: Logger;
}): Promise<number> {
  const { records, handle, log } = options;
  const interrupted = records.list().filter(({ state }) => state !== 'added');
  // Side by side: an IPAM plugin that hangs must not keep the agent from starting for each of them in turn.
  await Promise.all(
    interrupted.map(async ({ request, state }) => {
      const { exitCode, stdout } = await handle({ ...request, command: 'DEL' });
      const fields = { container: request.containerId, interface: request.ifName, state };
      if (exitCode === 0) log.info('an interrupted attachment was removed', fields);
      else log.warn('an interrupted attachment could not be removed', { ...fields, answer: stdout });
    }),
  );
  return interrupted.length;
}

/**
 * Carries out the DELs that were queued. One that fails stays for the next time; one that cannot be read is
 * renamed to `.bad`. Call it before the agent takes requests, so that no ADD of the same container is older.
 */
export async function replayQueuedDeletes(options: {
  readonly stateDir: string;
  readonly handle: CniHandler;
  readonly log: Logger;
}): Promise<{ readonly done: number; readonly kept: number }> {
  const folder = deleteQueueOf(options.stateDir);
  const names = (await namesIn(folder)).filter(name => !name.startsWith('.') && !name.endsWith('.bad'));
  let done = 0;
  for (const name of names) if (await replay({ ...options, path: join(folder, name) })) done++;
  return { done, kept: names.length - done };
}

async function replay(options: {
  readonly path: string;
  readonly handle: CniHandler;
  readonly log: Logger;
}): Promise<boolean> {
  const { path, handle, log } = options;
  let request: CniRequest;
  try {
    request = decodeRequest(await readFile(path));
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    log.error('a queued DEL cannot be read; it is put aside', { path, error: messageOf(error) });
    await rename(path, `${path}.bad`);
    return false;
  }
  const { exitCode, stdout } = await handle({ ...request, command: 'DEL' });
  if (exitCode !== 0) {
    log.warn('a queued DEL failed; it stays queued', { path, answer: stdout });
    return false;
  }
  await rm(path, { force: true });
  return true;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
