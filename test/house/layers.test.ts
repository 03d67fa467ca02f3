import { describe, expect, test } from 'vitest';
import { importCycles, layerProblems, readSources, sourceFile } from './imports.js';

const sources = readSources(new URL('../../src', import.meta.url).pathname);

describe('the layers of the design', () => {
  test('hold in every source file', () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(layerProblems(sources)).toEqual([]);
  });

  test('have no import cycle', () => {
    expect(importCycles(sources)).toEqual([]);
  });

  test.each([
    ['policy/x.ts', "import { a } from '../datastore/index.js';", 'policy may not know datastore'],
    ['policy/x.ts', "import type { a } from '../resources/index.js';", 'only policy/from-v1.ts'],
    ['policy/x.ts', "import { a } from './index.js';", 'not their own index'],
    ['cli/x.ts', "import { a } from '../policy/model.js';", 'outsiders import src/policy/index.ts only'],
    ['cli/x.ts', "const a = await import('../lab/index.js');", 'cli may not know lab'],
    ['net/x.ts', "import { readFileSync } from 'node:fs';", 'net does no I/O here'],
    ['cli/x.ts', 'const home = process.env.HOME;', 'bin/ reads the environment once'],
    ['ipam/x.ts', 'const t = Date.now();', 'take a Clock'],
    ['extra/x.ts', "export { a } from '../base/index.js';", 'folder extra is not in'],
  ])('are seen to be broken by %s with %s', (path, text, message) => {
    expect(layerProblems([sourceFile(path, text)]).join('\n')).toContain(message);
  });

  test('are seen to have a cycle where there is one', () => {
    const cycle = importCycles([
      sourceFile('net/a.ts', "import { b } from './b.js';"),
      sourceFile('net/b.ts', "import { a } from './a.js'; export const b = a;"),
    ]);
    expect(cycle).toEqual(['net/a.ts -> net/b.ts -> net/a.ts']);
  });
});
