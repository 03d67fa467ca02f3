// npm run bench [-- NAME...]: builds and runs bench/*.ts one after the other. They want a quiet machine and root.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
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
    console.log(`\n# ${name}`);
    const run = spawnSync(process.execPath, [join(outdir, `${name}.js`)], {
      stdio: 'inherit',
      env: { ...process.env, CALICO_ROOT: root },
    });
    if (run.status !== 0) process.exitCode = 1;
  }
} finally {
  rmSync(outdir, { recursive: true, force: true });
}
