/** What yields a value inside an action. */
export type Operand =
  | { readonly kind: 'dot' | 'nil' }
  | { readonly kind: 'constant'; readonly value: boolean | bigint | number | string }
  | { readonly kind: 'variable' | 'function'; readonly name: string }
  /** fields of the operand, outermost first; `.A.B` are fields of the dot */
  | { readonly kind: 'fields'; readonly of: Operand; readonly names: readonly string[] }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline };

/** A function and its arguments, or a single value. */
export type Command = readonly [Operand, ...Operand[]];

/** Commands, each of which gets the result of the one before as its last argument. */
export interface Pipeline {
  readonly line: number;
  /** variables that take the result: one, or index and element in a `range` */
  readonly variables: readonly string[];
  /** `:=` makes the variables, `=` changes them */
  readonly declares: boolean;
  readonly commands: readonly [Command, ...Command[]];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if' | 'range' | 'with';
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | {
      readonly kind: 'template';
      readonly line: number;
      readonly name: string;
      readonly argument: Pipeline | undefined;
    };

/** A parsed template, and those that it defines by name. */
export interface Template {
  readonly body: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}
