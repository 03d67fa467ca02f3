import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('../..', import.meta.url).pathname;

/** Builds executables of the product from the sources as they are, with a version that tests know. */
export async function bundleExecutables(names: readonly string[], outdir: string): Promise<void> {
  await build({
    entryPoints: names.map(name => join(root, 'src/bin', `${name}.ts`)),
    outdir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    splitting: true,
    external: ['koffi', 'pino'],
    define: {
      __VERSION__: '"v9.8.7"',
      __BUILD_DATE__: '"2026-11-25T00:00:00+0000"',
      __GIT_COMMIT__: '"ca6cd25f"',
    },
    banner: {
      js: "import { createRequire as calicoRequire } from 'node:module'; const require = calicoRequire(import.meta.url);",
    },
    logLevel: 'error',
  });
}
