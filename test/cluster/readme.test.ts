import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestLab } from '../support/lab.js';
import type { TestLab } from '../support/lab.js';
import { patternOf, timeless, transcriptOf } from '../support/transcript.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const steps = transcriptOf(readme, 'The first five minutes');

/** Numbers of revisions at the start of lines of `history`. */
function revisionsIn(lines: readonly string[]): readonly string[] {
  return lines.flatMap(line => /^(\d+) +\d{4}-\d\d-\d\dT/.exec(line)?.[1] ?? []);
}

describe('the first five minutes of the README', () => {
  let lab: TestLab;

  beforeAll(async () => {
    lab = await createTestLab('readme');
  });

  afterAll(async () => {
    await lab.remove();
  });

  test('are what happens when they are typed', async () => {
    expect(steps.length).toBeGreaterThan(8);
    /** revisions of the page, and those of this run */
    const revisions = new Map<string, string>();
    for (const { words, output } of steps) {
      const [program, ...page] = words;
      // Only says where the programs and the datastore are; this lab has places of its own.
      if (program === 'export') continue;
      expect(program).toBe('calicoctl');
      const args = page.map(word => word.replace(/(?<=^--to=)\d+$/, shown => revisions.get(shown) ?? shown));
      const [first, verb = '', ...rest] = args;
      const ran = first === 'lab' ? await lab.lab(verb, ...rest) : await lab.calicoctl(...args);
      const lines = `${ran.stdout}${ran.stderr}`
        .replaceAll(lab.name, 'lab')
        .replaceAll(' --name=lab', '')
        .split('\n')
        .filter(line => line !== '');
      const printed = lines.map(line => `${timeless(line)}\n`).join('');
      const command = words.join(' ');
      expect({ command, printed }).toEqual({ command, printed: expect.stringMatching(patternOf(output)) });
      const here = revisionsIn(lines);
      for (const [index, shown] of revisionsIn(output).entries()) revisions.set(shown, here[index] ?? shown);
    }
    expect(await lab.namespaces()).toEqual([]);
  });
});
