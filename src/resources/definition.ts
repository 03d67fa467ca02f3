import type { PresentField } from './field.js';
import type { Place } from './problem.js';
import { presentRecord, record } from './record.js';
import type { RecordOptions, Shape, Shaped } from './record.js';
import { choice } from './text-fields.js';
import { required } from './field.js';
import type { Field } from './field.js';

/** What a cell may need beyond its resource. */
export interface CellContext {
  /** the AS number of nodes that have none of their own; undefined when it could not be read */
  readonly globalAsNumber: number | undefined;
}

/** A column of the tables of `get`. */
export interface Column<R> {
  readonly heading: string;
  /** not in the narrow table */
  readonly wide: boolean;
  /** in neither table: only where the user asks for it by name */
  readonly extra: boolean;
  cell(resource: R, context: CellContext): string;
}

/** A resource as the user writes it, in canonical form. */
export interface ResourceShape<K extends string, M, S> {
  readonly apiVersion: 'v1';
  readonly kind: K;
  readonly metadata: M;
  readonly spec: S;
}

/** All that is known of a kind. */
export interface Definition<K extends string, M, S> {
  readonly kind: K;
  /** the original's name of the kind: `BGPPeer` */
  readonly goName: string;
  /** one sentence for `explain` */
  readonly description: string;
  /** words for it on the command line, lower case */
  readonly words: readonly string[];
  readonly body: Field<ResourceShape<K, M, S>>;
  /** `Policy(name=web)` */
  identity(metadata: M): string;
  /** identifiers that must not be empty, in the order in which a lack is reported */
  identifiers(metadata: M): readonly string[];
  readonly columns: readonly Column<ResourceShape<K, M, S>>[];
}

type ColumnSource<R> = {
  readonly cell: (resource: R, context: CellContext) => string;
  readonly show?: 'wide' | 'extra';
};

interface Wholes<M extends Shape, S extends Shape> {
  readonly metadata: Shaped<M>;
  readonly spec: Shaped<S>;
}

interface DefinitionSource<K extends string, M extends Shape, S extends Shape> {
  readonly kind: K;
  /** the original's name of the kind: `BGPPeer` */
  readonly goName: string;
  readonly description: string;
  readonly words: readonly string[];
  readonly metadata: M;
  readonly metadataOptions?: Omit<RecordOptions<M>, 'struct'>;
  readonly spec: S;
  readonly check?: RecordOptions<S>['check'];
  /** rules over identity and content together; `place` is that of the resource */
  readonly checkWhole?: (resource: Wholes<M, S>, place: Place) => void;
  readonly identity: (metadata: Shaped<M>) => string;
  readonly identifiers: (metadata: Shaped<M>) => readonly (keyof Shaped<M> & string)[];
  readonly columns: Readonly<Record<string, ColumnSource<ResourceShape<K, Shaped<M>, Shaped<S>>>>>;
}

/** Makes a kind out of its fields, identity and columns; the type of its resources follows from the fields. */
export function defineResource<const K extends string, M extends Shape, S extends Shape>(
  source: DefinitionSource<K, M, S>,
): Definition<K, Shaped<M>, Shaped<S>> {
  const { kind, goName, description, words, identity, identifiers, check, checkWhole } = source;
  const metadata: PresentField<Shaped<M>> = presentRecord(source.metadata, {
    ...source.metadataOptions,
    struct: `${goName}Metadata`,
  });
  const spec: PresentField<Shaped<S>> = presentRecord(source.spec, {
    struct: `${goName}Spec`,
    ...(check === undefined ? {} : { check }),
  });
  const body = record(
    { kind: required(choice([kind])), apiVersion: required(choice(['v1'])), metadata, spec },
    {
      struct: goName,
      check: ({ metadata: named, spec: content }, place) => {
        if (named !== undefined && content !== undefined)
          checkWhole?.({ metadata: named, spec: content }, place);
      },
    },
  );
  const columns = (): Definition<K, Shaped<M>, Shaped<S>>['columns'] =>
    Object.entries(source.columns).map(([heading, { cell, show }]) => ({
      heading,
      wide: show === 'wide',
      extra: show === 'extra',
      cell,
    }));
  return {
    kind,
    goName,
    description,
    words,
    body,
    identity,
    identifiers,
    // Made when it is asked for: a short command shows one kind.
    get columns() {
      return columns();
    },
  };
}
