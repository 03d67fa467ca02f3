import { describe, expect, test } from 'vitest';
import { parseGrammar } from '../grammar/index.js';
import type { Grammar } from '../grammar/index.js';
import { commandEntries } from './index.js';

type Pattern = Grammar['pattern'];

/** Every name of a usage section, and whether a repetition is around it. */
function namesIn(pattern: Pattern, repeated = false): readonly (readonly [string, boolean])[] {
  switch (pattern.kind) {
    case 'sequence':
    case 'choice':
      return pattern.items.flatMap(item => namesIn(item, repeated));
    case 'optional':
      return namesIn(pattern.item, repeated);
    case 'repeated':
      return namesIn(pattern.item, true);
    case 'option':
    case 'argument':
      return [[pattern.name, repeated]];
    case 'word':
      break;
  }
  return [[pattern.word, repeated]];
}

describe.each(commandEntries.map(entry => [entry.path.join(' '), entry] as const))(
  'calicoctl %s',
  (_, entry) => {
    test('takes exactly the options that its usage names', async () => {
      const command = await entry.load();
      const grammar = parseGrammar(command.help, command.path);
      const used = new Map(namesIn(grammar.pattern));
      const defined = Object.values(command.options);
      expect(defined.map(({ name }) => name).toSorted()).toEqual([...used.keys()].toSorted());
      const takesValue = ({ name }: (typeof defined)[number]): boolean =>
        grammar.options.find(option => option.name === name)?.takesValue ?? name.startsWith('<');
      expect(defined.filter(option => takesValue(option) === (option.kind === 'flag'))).toEqual([]);
      expect(defined.filter(({ kind, name }) => used.get(name) !== (kind === 'list'))).toEqual([]);
    });

    test('has the path under which it is listed', async () => {
      expect((await entry.load()).path).toEqual(entry.path);
    });
  },
);
