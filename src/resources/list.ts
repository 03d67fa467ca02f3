import type { Field } from './field.js';
import { inside, reportType } from './problem.js';

export interface ListOptions<T> {
  /** brings the elements into the order in which the store keeps them */
  readonly arrange?: (elements: readonly T[]) => readonly T[];
}

/** A list of values of one kind; an empty one counts as absent. */
export function list<T>(element: Field<T>, { arrange }: ListOptions<T> = {}): Field<readonly T[]> {
  const goType = `[]${element.goType}`;
  const expected = `a list, each element ${element.expected}`;
  return {
    expected,
    goType,
    schema: () => ({ type: 'array', items: element.schema() }),
    read: (value, place) => {
      if (!Array.isArray(value)) return reportType(place, goType, { value, expected });
      const elements: T[] = [];
      for (const [index, inner] of value.entries()) {
        const read = element.read(inner, inside(place, index));
        if (read !== undefined) elements.push(read);
      }
      if (elements.length === 0) return undefined;
      return arrange === undefined ? elements : arrange(elements);
    },
    write: value => (value.length === 0 ? undefined : value.map(inner => element.write(inner))),
  };
}
