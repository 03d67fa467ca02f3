import * as fc from 'fast-check';

/** Words that look like operators are in, so that the lexer's order of tries is put to the test. */
const label = fc.oneof(
  fc.constantFrom('a', 'b', 'role', 'x/y', 'a.b-c_d', 'inzone', 'all', 'has', 'constructor', '/x', '-p/q'),
  fc
    .stringMatching(/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,5}[a-zA-Z0-9])?$/)
    .filter(text => !/^(in|not|notin)\b/.test(text)),
);
const value = fc.oneof(
  fc.constantFrom('', 'x', 'db', "it's", 'say "x"', '&& ||'),
  fc.string({ maxLength: 6 }),
);

function quoted(text: string): string {
  return text.includes('"') ? `'${text.replaceAll("'", '')}'` : `"${text}"`;
}

const set = fc.array(value, { maxLength: 3 }).map(values => `{${values.map(quoted).join(', ')}}`);
const space = fc.constantFrom('', ' ', '\t', '  ');

const test = fc.oneof(
  fc.constantFrom('all()', 'all( )'),
  fc.tuple(label, space).map(([name, gap]) => `has(${gap}${name}${gap})`),
  fc
    .tuple(label, fc.constantFrom('==', '!='), value, space)
    .map(([name, operator, text, gap]) => `${name}${gap}${operator}${gap}${quoted(text)}`),
  fc
    .tuple(label, fc.constantFrom('in', 'not in', 'notin', 'not  in'), set)
    .map(([name, operator, values]) => `${name} ${operator} ${values}`),
);

/** A valid selector, with the spellings a user may choose; sometimes empty. */
export const selectorText: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('') },
  {
    weight: 9,
    arbitrary: fc.letrec<{ term: string; whole: string }>(tie => ({
      term: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        test,
        tie('whole').map(inner => `(${inner})`),
        tie('term').map(inner => `!${inner}`),
      ),
      whole: fc
        .array(fc.tuple(tie('term'), fc.constantFrom(' && ', '&&', ' || ', '||')), {
          minLength: 1,
          maxLength: 3,
        })
        .map(parts => parts.map(([term, operator], i) => (i === 0 ? term : operator + term)).join('')),
    })).whole,
  },
);

/** Labels that selectors of this file have a chance to match. */
export const someLabels: fc.Arbitrary<Readonly<Record<string, string>>> = fc.dictionary(label, value, {
  maxKeys: 4,
  noNullPrototype: true,
});
