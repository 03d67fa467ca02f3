import { copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CalicoError, isCalicoError, runProgram } from '../base/index.js';

/** The configuration file of one BIRD and its neighbours: `.new` while it is checked, `.old` to go back to. */
export interface BirdConfigFile {
  readonly path: string;
  /** the BIRD that checks it */
  readonly program: string;
}

/**
 * Puts `text` in place of the configuration, in one step, once BIRD has found it right. What BIRD refuses is
 * a CalicoError `invalid` with BIRD's words; it is left in `.refused` for a look, and the old file stays.
 */
export async function installConfig({ path, program }: BirdConfigFile, text: string): Promise<void> {
  const candidate = `${path}.new`;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(candidate, text, { mode: 0o600, flush: true });
  const { exitCode, stderr } = await runProgram(program, ['-p', '-c', candidate], { timeoutMs: 10_000 });
  if (exitCode !== 0) {
    const refused = `${path}.refused`;
    await rename(candidate, refused);
    const complaint = stderr
      .replaceAll(candidate, refused)
      .replace(/^bird: /, '')
      .trim();
    throw new CalicoError('invalid', `BIRD refuses its new configuration, the old one stays: ${complaint}`);
  }
  await copyFile(path, `${path}.old`).catch(ignoreMissing);
  await rename(candidate, path);
}

/** Goes back to the configuration before the last installConfig; without one there is none afterwards. */
export async function restoreConfig({ path }: BirdConfigFile): Promise<void> {
  await rm(path, { force: true });
  await rename(`${path}.old`, path).catch(ignoreMissing);
}

function ignoreMissing(error: unknown): void {
  if (!isCalicoError(error) && error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
  throw error;
}
