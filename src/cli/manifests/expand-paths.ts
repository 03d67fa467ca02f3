import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CalicoError } from '../../base/index.js';
import { inputFailure } from './read-input.js';

/** What a file in a directory is called when it holds resources. */
const MANIFEST = /\.(?:ya?ml|json)$/i;
/** Directories inside each other. */
const DEEPEST = 32;
/** Files that one run reads at most. */
const MOST_FILES = 10_000;

async function isDirectory(path: string): Promise<boolean> {
  try {
    return !path.includes('\0') && (await stat(path)).isDirectory();
  } catch {
    // Reading it as a file will say what is wrong with it.
    return false;
  }
}

async function filesIn(directory: string, recursive: boolean, depth = 0): Promise<readonly string[]> {
  let entries;
  try {
    entries = await readdir(directory, { withFileTypes: true });
  } catch (error) {
    throw inputFailure(directory, error);
  }
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    // Links to directories are not followed: they may lead round in a circle.
    if (entry.isDirectory()) {
      if (recursive && depth < DEEPEST) found.push(...(await filesIn(path, true, depth + 1)));
    } else if (MANIFEST.test(entry.name) && (entry.isFile() || entry.isSymbolicLink())) found.push(path);
    if (found.length > MOST_FILES)
      throw new CalicoError('invalid', `read ${directory}: more than ${String(MOST_FILES)} files`);
  }
  return found;
}

/**
 * The inputs that are meant by what was given with `-f`, in order: a directory stands for its manifests, in
 * order of their names, and with `recursive` for those below it.
 */
export async function expandPaths(given: readonly string[], recursive: boolean): Promise<readonly string[]> {
  if (given.filter(path => path === '-').length > 1)
    throw new CalicoError('invalid', 'standard input can be read only once');
  const paths: string[] = [];
  for (const path of given) {
    if (path === '-' || !(await isDirectory(path))) {
      paths.push(path);
      continue;
    }
    const files = await filesIn(path, recursive);
    const hint = recursive ? '' : ' (-R looks in the directories below it too)';
    if (files.length === 0)
      throw new CalicoError('invalid', `read ${path}: no .yaml, .yml or .json file in it${hint}`);
    paths.push(...files);
  }
  return paths;
}
