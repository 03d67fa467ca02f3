import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseSync } from 'oxc-parser';
import { layers, only, restricted } from './layers.js';

/** A source file as the house rules see it; `path` is relative to src/, `specifiers` as written. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly specifiers: readonly string[];
}

/** Reads what a file imports, statically or by `import()`, types included. */
export function sourceFile(path: string, text: string): SourceFile {
  const { module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse`);
  const statics = module.staticImports.map(item => item.moduleRequest.value);
  const reexports = module.staticExports.flatMap(item =>
    item.entries.flatMap(entry => (entry.moduleRequest === null ? [] : [entry.moduleRequest.value])),
  );
  const dynamics = module.dynamicImports.map(item =>
    text.slice(item.moduleRequest.start, item.moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
  );
  return { path, text, specifiers: [...new Set([...statics, ...reexports, ...dynamics])] };
}

/** Every source file below a folder that is not a test. */
export function readSources(root: string): readonly SourceFile[] {
  const found: SourceFile[] = [];
  const walk = (folder: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (name.endsWith('.ts') && !name.endsWith('.test.ts')) {
        found.push(sourceFile(relative(root, path), readFileSync(path, 'utf8')));
      }
    }
  };
  walk(root);
  return found;
}

function targetOf(file: SourceFile, specifier: string): string {
  return relative('/', resolve('/', file.path, '..', specifier)).replace(/\.js$/, '.ts');
}

const folderOf = (path: string): string => path.split('/')[0] ?? '';

function importProblems(file: SourceFile, specifier: string): readonly string[] {
  const from = folderOf(file.path);
  const layer = layers[from];
  if (layer === undefined) return [`src/${file.path}: folder ${from} is not in test/house/layers.ts`];
  const inside = file.path.slice(from.length + 1);
  if (!specifier.startsWith('.')) {
    const pure = layer.io !== true && !layer.io.some(allowed => inside.startsWith(allowed));
    return pure && specifier.startsWith('node:')
      ? [`src/${file.path} imports ${specifier}: ${from} does no I/O here; hand the value in`]
      : [];
  }
  const target = targetOf(file, specifier);
  const to = folderOf(target);
  const said = `src/${file.path} imports src/${target}`;
  if (to === from) {
    return inside !== 'index.ts' && target === `${from}/index.ts`
      ? [`${said}: insiders import the file that defines it, not their own index`]
      : [];
  }
  const problems: string[] = [];
  if (to !== 'base' && !layer.imports.includes(to)) {
    problems.push(`${said}: ${from} may not know ${to}; pass the value in, or move the code down`);
  }
  if (target !== `${to}/index.ts`) problems.push(`${said}: outsiders import src/${to}/index.ts only`);
  const rule = only.find(item => folderOf(item.from) === from && item.to === to && item.from !== file.path);
  if (rule !== undefined) problems.push(`${said}: ${rule.reason}`);
  return problems;
}

/** Every breach of the layer table and of the restricted words. */
export function layerProblems(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(file => [
    ...file.specifiers.flatMap(specifier => importProblems(file, specifier)),
    ...restricted
      .filter(rule => rule.pattern.test(file.text) && !rule.allowed.some(path => file.path.startsWith(path)))
      .map(rule => `src/${file.path} uses ${rule.pattern.source}: ${rule.instead}`),
  ]);
}

/** Each import cycle once, as the chain of its files. */
export function importCycles(files: readonly SourceFile[]): readonly string[] {
  const edges = new Map(
    files.map(file => [
      file.path,
      file.specifiers
        .filter(specifier => specifier.startsWith('.'))
        .map(specifier => targetOf(file, specifier)),
    ]),
  );
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      cycles.push([...trail.slice(at), path].join(' -> '));
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const file of files) visit(file.path, []);
  return cycles;
}
