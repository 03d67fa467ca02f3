// Builds dist/: one entry per executable, split so that a command loads only what it needs, and the native
// CNI launcher where a C compiler is present (the Node program of the same protocol serves where none is).
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { build } from 'esbuild';
import { mergeChunks } from './lib/merge-chunks.mjs';

const root = new URL('..', import.meta.url).pathname;
const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));

/** What short commands load: docs/benchmarks.md, startup. */
const startGroups = {
  start: ['src/bin/calicoctl.ts', 'src/cli/commands/version.ts'],
  resources: ['src/cli/commands/get.ts', 'src/cli/connect.ts', 'src/datastore/sqlite/sqlite-store.ts'],
};

function gitCommit() {
  const git = spawnSync('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return git.status === 0 ? git.stdout.trim() : 'unknown';
}

async function buildPrograms() {
  const programs = readdirSync(`${root}src/bin`)
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => `src/bin/${name}`);
  const outdir = `${root}dist`;
  const options = {
    absWorkingDir: root,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // koffi finds its native library beside itself; pino starts worker files by path.
    external: ['koffi', 'pino'],
    // Half as much to read at each start; names stay, for what is wrong must be found.
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  };
  const { metafile } = await build({
    ...options,
    entryPoints: programs.map(name => `${root}${name}`),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    metafile: true,
    define: {
      __VERSION__: JSON.stringify(`v${version}`),
      __BUILD_DATE__: JSON.stringify(new Date().toISOString().replace(/\.\d+Z$/, '+0000')),
      __GIT_COMMIT__: JSON.stringify(gitCommit()),
    },
    banner: {
      // Pure, so that it is left out again where nothing calls it.
      js: "import { createRequire as calicoRequire } from 'node:module'; const require = /* @__PURE__ */ (() => calicoRequire(import.meta.url))();",
    },
  });
  await mergeChunks({ root, outdir, metafile, options, groups: startGroups, programs });
}

function buildLauncher() {
  const source = `${root}native/calico-cni.c`;
  if (!existsSync(source)) return;
  mkdirSync(`${root}dist/cni`, { recursive: true });
  const target = `${root}dist/cni/calico`;
  const named = `-DCALICO_VERSION="v${version}"`;
  const flags = ['-O2', '-Wall', '-Wextra', '-std=c11', named, '-o', target, source];
  // Static is smaller at run time and starts faster; without libc.a the dynamic one does the same.
  const built = [['-static', ...flags], flags].some(
    args => spawnSync('cc', args, { stdio: 'ignore' }).status === 0,
  );
  if (built) symlinkSync('calico', `${root}dist/cni/calico-ipam`);
  else console.log('no C compiler that works: the CNI plugins will start as Node programs');
}

rmSync(`${root}dist`, { recursive: true, force: true });
await buildPrograms();
buildLauncher();
