import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitrarySelector } from '../../test/support/policy-arbitrary.js';
import { selector } from '../../test/support/policy-builders.js';
import { matches } from '../selector/index.js';
import { LabelIndex } from './label-index.js';
import { labelKeys, requirement } from './requirement.js';

describe('the label index', () => {
  test('evaluates only selectors that could match the changed endpoint', () => {
    const index = new LabelIndex<string, string>();
    for (let i = 0; i < 1000; i++) {
      index.setQuery(`q${String(i)}`, selector(`app == "a${String(i)}" && env != "test"`));
      index.setItem(`e${String(i)}`, { app: `a${String(i)}` });
    }
    const before = index.evaluations;
    index.setItem('e7', { app: 'a7', env: 'test' });
    index.setItem('new', { app: 'a9' });
    expect(index.evaluations - before).toBe(2);
    expect([...index.itemsOf('q9')]).toEqual(['e9', 'new']);
    expect([...index.itemsOf('q7')]).toEqual([]);
  });

  test('evaluates a new selector only on endpoints with a label that it demands', () => {
    const index = new LabelIndex<string, string>();
    for (let i = 0; i < 1000; i++)
      index.setItem(`e${String(i)}`, { app: `a${String(i % 100)}`, env: 'prod' });
    const before = index.evaluations;
    index.setQuery('q', selector('env == "prod" && app in {"a1", "a2"} || app == "a3"'));
    expect(index.itemsOf('q').size).toBe(30);
    expect(index.evaluations - before).toBeLessThanOrEqual(1000);
    const narrow = index.evaluations;
    index.setQuery('r', selector('has(env) && app == "a1"'));
    expect(index.evaluations - narrow).toBe(10);
  });

  test('does not take labels for what every object inherits', () => {
    const index = new LabelIndex<string, string>();
    index.setQuery('q', selector('has(constructor)'));
    index.setItem('plain', {});
    index.setItem('named', { constructor: 'x' });
    expect([...index.itemsOf('q')]).toEqual(['named']);
  });

  test('never leaves out a selector that is true', () => {
    const labels = fc.dictionary(
      fc.constantFrom('role', 'env', 'team', 'public'),
      fc.constantFrom('web', 'prod', 'red', ''),
    );
    fc.assert(
      fc.property(arbitrarySelector(3), labels, (candidate, own) => {
        const keys = requirement(candidate);
        const found = keys === undefined || labelKeys(own).some(key => keys.includes(key));
        expect(found || !matches(candidate, own)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
