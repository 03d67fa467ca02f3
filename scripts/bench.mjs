// npm run bench [-- NAME...]: builds and runs bench/*.ts one after the other. They want a quiet machine and root.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const wanted = process.argv.slice(2);
const names = readdirSync(`${root}bench`)
  .filter(name => name.endsWith('.ts'))
  .map(name => name.slice(0, -3))
  .filter(name => wanted.length === 0 || wanted.includes(name));
const unknown = wanted.filter(name => !names.includes(name));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(', ')}`);
  process.exit(1);
}

// Beside node_modules, so that what is not bundled is found.
const outdir = mkdtempSync(join(root, 'dist', 'bench-'));
// All that benchmarks write.
const scratch = mkdtempSync(join(tmpdir(), 'calico-'));

const linesOf = (program, ...args) =>
  spawnSync(program, args, { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);

/** The processes below that one, itself included. */
function treeOf(pid) {
  const all = linesOf('ps', '-e', '-o', 'pid=,ppid=').map(line => line.trim().split(/ +/).map(Number));
  const below = parent => [parent, ...all.filter(([, of]) => of === parent).flatMap(([each]) => below(each))];
  return below(pid);
}

function end(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** Ends a benchmark where it is, and takes away the namespaces that it made: the first number of their names is its pid. */
function takeDown(pid) {
  const pids = treeOf(pid);
  for (const each of pids) end(each);
  const present = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const own = present.filter(name => pids.includes(Number(/[0-9]+/.exec(name)?.[0])));
  for (const netns of own) {
    for (const each of linesOf('ip', 'netns', 'pids', netns)) end(Number(each));
    spawnSync('ip', ['netns', 'del', netns]);
  }
}

let running;
let interrupted;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    interrupted ??= signal;
    if (running !== undefined) takeDown(running.pid);
  });
}

try {
  await build({
    entryPoints: names.map(name => `${root}bench/${name}.ts`),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    splitting: true,
    external: ['koffi', 'pino'],
    banner: {
      js: "import { createRequire as calicoRequire } from 'node:module'; const require = calicoRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
  for (const name of names) {
    if (interrupted !== undefined) break;
    console.log(`\n# ${name}`);
    // In a group of its own, so that an interruption is ours to handle.
    running = spawn(process.execPath, [join(outdir, `${name}.js`)], {
      detached: true,
      stdio: 'inherit',
      env: { ...process.env, CALICO_ROOT: root, TMPDIR: scratch },
    });
    const [code] = await once(running, 'exit');
    running = undefined;
    if (code !== 0) process.exitCode = 1;
  }
} finally {
  for (const each of [outdir, scratch]) rmSync(each, { recursive: true, force: true });
}
