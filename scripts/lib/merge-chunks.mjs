// Merges the chunks that a command loads together: each file that Node loads costs a millisecond, and esbuild
// makes one for every set of entry points that share a module.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build } from 'esbuild';

/** All chunks that are loaded with a file, itself included. */
function closure(outputs, file, seen = new Set()) {
  if (seen.has(file) || outputs[file] === undefined) return seen;
  seen.add(file);
  for (const { path, kind } of outputs[file].imports)
    if (kind === 'import-statement') closure(outputs, path, seen);
  return seen;
}

/** True for the chunk of what esbuild itself adds: it does nothing but define. */
function isRuntime({ inputs }) {
  return Object.keys(inputs).length === 0;
}

/**
 * Decides which chunks become one file: for each group, all that its modules load and no group before has, but
 * for programs and for what else can be loaded by itself. `groups` name source files that are entry points of
 * the build.
 */
function plan(outputs, groups, programs) {
  const taken = new Set();
  return Object.entries(groups).map(([name, sources]) => {
    const entries = Object.keys(outputs).filter(file => sources.includes(outputs[file].entryPoint));
    const members = [...new Set(entries.flatMap(file => [...closure(outputs, file)]))];
    const isFixed = ({ entryPoint }) =>
      entryPoint !== undefined && (programs.includes(entryPoint) || !sources.includes(entryPoint));
    const chunks = members.filter(
      file => !taken.has(file) && !isFixed(outputs[file]) && !isRuntime(outputs[file]),
    );
    for (const chunk of chunks) taken.add(chunk);
    return { name, chunks };
  });
}

/** The name that an export of a chunk has in the merged file. */
function mergedName(index, exported) {
  return `c${index}_${exported}`;
}

/** Only files that call `require` need what makes it. */
function withoutUnusedRequire(text) {
  return text.replaceAll(
    /import ?\{ ?createRequire as (\w+) ?\} ?from ?"node:module";?/g,
    (statement, name) => (text.split(new RegExp(`\\b${name}\\b`)).length > 2 ? statement : ''),
  );
}

/**
 * Rewrites the files of a finished build: `metafile` is esbuild's, with paths below `root`; `outdir` has the
 * files; `programs` are the source files that stay files of their own. What is merged is evaluated once, as
 * before.
 */
export async function mergeChunks({ root, outdir, metafile, groups, programs, options }) {
  const { outputs } = metafile;
  const places = new Map();
  const planned = plan(outputs, groups, programs).filter(({ chunks }) => chunks.length > 1);
  for (const { name, chunks } of planned) {
    const merged = join(outdir, 'chunks', `${name}.js`);
    chunks.forEach((chunk, index) =>
      places.set(resolve(root, chunk), { merged, index, exports: outputs[chunk].exports }),
    );
  }
  const files = Object.keys(outputs).map(file => resolve(root, file));
  const plugin = {
    name: 'merge-chunks',
    setup(on) {
      on.onResolve({ filter: /^merged:/ }, ({ path }) => ({ path: path.slice(7), namespace: 'merged' }));
      on.onLoad({ filter: /.*/, namespace: 'merged' }, ({ path: name }) => {
        const { chunks } = planned.find(group => group.name === name);
        const lines = chunks.flatMap((chunk, index) => {
          const names = outputs[chunk].exports.map(each => `${each} as ${mergedName(index, each)}`);
          return `export { ${names.join(', ')} } from ${JSON.stringify(resolve(root, chunk))};`;
        });
        return { contents: lines.join('\n'), resolveDir: outdir };
      });
      on.onResolve({ filter: /^(?:\.\.?)?\//, namespace: 'file' }, ({ path, importer, kind, resolveDir }) => {
        if (kind === 'entry-point') return undefined;
        const target = resolve(resolveDir, path);
        const from = places.get(importer);
        const place = places.get(target);
        if (kind === 'import-statement' && place !== undefined)
          return from?.merged === place.merged ? { path: target } : { path: target, namespace: 'stub' };
        // Loaded on demand, and part of a merged file: that file is loaded, and gives what this one would.
        if (kind === 'dynamic-import' && place !== undefined)
          return { path: `part:${target}`, external: true };
        const start = from === undefined ? dirname(importer) : join(outdir, 'chunks');
        const relativePath = relative(start, target);
        const output = outputs[relative(root, target)];
        return {
          path: relativePath.startsWith('.') ? relativePath : `./${relativePath}`,
          external: true,
          sideEffects: output === undefined || !isRuntime(output),
        };
      });
      // Stands for a chunk that is part of a merged file, for those outside of that file.
      on.onLoad({ filter: /.*/, namespace: 'stub' }, ({ path }) => {
        const { merged, index, exports } = places.get(path);
        const names = exports.map(each => `${mergedName(index, each)} as ${each}`);
        return { contents: `export { ${names.join(', ')} } from ${JSON.stringify(`into:${merged}`)};` };
      });
      on.onResolve({ filter: /^into:/, namespace: 'stub' }, ({ path }) => ({ path, external: true }));
      on.onResolve({ filter: /.*/, namespace: 'merged' }, ({ path }) => ({ path, namespace: 'file' }));
    },
  };
  const kept = files.filter(file => !places.has(file));
  const result = await build({
    ...options,
    entryPoints: [
      ...kept.map(file => ({ in: file, out: relative(outdir, file).replace(/\.js$/, '') })),
      ...planned.map(({ name }) => ({ in: `merged:${name}`, out: `chunks/${name}` })),
    ],
    outdir,
    bundle: true,
    splitting: false,
    write: false,
    plugins: [plugin],
    logLevel: 'warning',
  });
  for (const file of places.keys()) rmSync(file);
  for (const { path, text } of result.outputFiles) {
    const toMerged = (_, merged) => {
      const target = relative(dirname(path), merged);
      return JSON.stringify(target.startsWith('.') ? target : `./${target}`);
    };
    const toPart = (_, target) => {
      const { merged, index, exports } = places.get(target);
      const members = exports.map(each => `${each}:part.${mergedName(index, each)}`);
      return `import(${toMerged(_, merged)}).then(part=>({${members.join(',')}}))`;
    };
    const joined = text
      .replaceAll(/import\("part:([^"]+)"\)/g, toPart)
      .replaceAll(/"into:([^"]+)"/g, toMerged);
    writeFileSync(path, withoutUnusedRequire(joined));
  }
}
