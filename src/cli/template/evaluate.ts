import { callFunction, FunctionError } from './functions.js';
import type { TemplateContext } from './functions.js';
import type { Command, Node, Operand, Pipeline, Template } from './nodes.js';
import { TemplateError } from './template-error.js';
import { isList, isMap, isStruct, isTrue, sortedEntries, textOf, typeName } from './values.js';
import type { Value } from './values.js';

/** Bodies inside each other, those of called templates included. */
const DEEPEST = 400;
/** What a template may do before it is taken for one that never ends; 10,000 resources need a tenth of it. */
const MOST_STEPS = 5_000_000;
/** Characters that are read or written in the time of a step. */
const CHARACTERS_A_STEP = 16;
/** Characters of a single text that a function makes. */
const LONGEST_TEXT = 16 * 1024 * 1024;
/** Characters of output. */
const LONGEST_OUTPUT = 128 * 1024 * 1024;

/** Variables in force, innermost last; a block forgets its own at its end. */
type Variables = readonly { readonly name: string; value: Value }[];

interface Place {
  readonly dot: Value;
  readonly variables: { name: string; value: Value }[];
}

class Evaluator {
  readonly #template: Template;
  readonly #context: TemplateContext;
  readonly #output: string[] = [];
  #length = 0;
  #steps = 0;
  #depth = 0;

  constructor(template: Template, context: TemplateContext) {
    this.#template = template;
    this.#context = context;
  }

  run(data: Value): string {
    this.#body(this.#template.body, { dot: data, variables: [{ name: '$', value: data }] }, 1);
    return this.#output.join('');
  }

  #body(
    nodes: readonly Node[],
    { dot, variables }: { readonly dot: Value; readonly variables: Variables },
    line: number,
  ): void {
    if (++this.#depth > DEEPEST) throw new TemplateError(line, 'exceeded maximum template depth');
    const inner: Place = { dot, variables: [...variables] };
    for (const node of nodes) this.#node(node, inner);
    this.#depth--;
  }

  #node(node: Node, place: Place): void {
    this.#step(1);
    switch (node.kind) {
      case 'text':
        this.#write(node.text, 1);
        break;
      case 'print': {
        const value = this.#pipeline(node.pipeline, place);
        if (node.pipeline.variables.length === 0) this.#write(textOf(value), node.pipeline.line);
        break;
      }
      case 'if':
      case 'with': {
        const inner: Place = { ...place, variables: [...place.variables] };
        const value = this.#pipeline(node.pipeline, inner);
        const taken = isTrue(value);
        const dot = taken && node.kind === 'with' ? value : place.dot;
        this.#body(
          taken ? node.body : node.otherwise,
          { dot, variables: inner.variables },
          node.pipeline.line,
        );
        break;
      }
      case 'range':
        this.#range(node, place);
        break;
      case 'template': {
        const body = this.#template.defined.get(node.name);
        if (body === undefined) throw new TemplateError(node.line, `template "${node.name}" not defined`);
        const dot = node.argument === undefined ? null : this.#pipeline(node.argument, place);
        this.#body(body, { dot, variables: [{ name: '$', value: dot }] }, node.line);
        break;
      }
    }
  }

  #range(node: Extract<Node, { kind: 'if' | 'range' | 'with' }>, place: Place): void {
    const { pipeline, body, otherwise } = node;
    const { line, variables: names, declares } = pipeline;
    const value = this.#pipeline({ ...pipeline, variables: [] }, place);
    const entries = entriesOf(value);
    if (entries === undefined) throw new TemplateError(line, `range can't iterate over ${textOf(value)}`);
    for (const [key, member] of entries) {
      this.#step(1);
      const inner: Place = { dot: member, variables: [...place.variables] };
      const [first, second] = names;
      const given =
        second === undefined
          ? [[first, member] as const]
          : [[first, key] as const, [second, member] as const];
      for (const [name, each] of given) if (name !== undefined) assign(inner, name, each, declares);
      this.#body(body, inner, line);
    }
    if (entries.length === 0) this.#body(otherwise, place, line);
  }

  #pipeline(pipeline: Pipeline, place: Place): Value {
    const [first, ...rest] = pipeline.commands;
    let value = this.#command(first, place, { line: pipeline.line });
    for (const command of rest) value = this.#command(command, place, { line: pipeline.line, last: [value] });
    for (const name of pipeline.variables) assign(place, name, value, pipeline.declares);
    return value;
  }

  #command(
    [first, ...rest]: Command,
    place: Place,
    { line, last = [] }: { readonly line: number; readonly last?: readonly Value[] },
  ): Value {
    if (first.kind !== 'function') {
      if (first.kind === 'nil') throw new TemplateError(line, 'nil is not a command');
      return this.#operand(first, place, line);
    }
    const args = [...rest.map(operand => this.#operand(operand, place, line)), ...last];
    return this.#call(first.name, args, line);
  }

  /** Calls a function; what it reads and writes counts as steps, so that texts cannot double without end. */
  #call(name: string, args: readonly Value[], line: number): Value {
    this.#step(1 + args.reduce<number>((sum, arg) => sum + lengthOf(arg), 0) / CHARACTERS_A_STEP);
    try {
      const result = callFunction(name, args, this.#context);
      if (lengthOf(result) > LONGEST_TEXT) throw new TemplateError(line, 'a text is too long');
      this.#step(lengthOf(result) / CHARACTERS_A_STEP);
      return result;
    } catch (error) {
      if (!(error instanceof FunctionError)) throw error;
      throw new TemplateError(line, `executing "get" at <${name}>: error calling ${name}: ${error.message}`);
    }
  }

  #operand(operand: Operand, place: Place, line: number): Value {
    this.#step(1);
    switch (operand.kind) {
      case 'dot':
        return place.dot;
      case 'nil':
        return null;
      case 'constant':
        return operand.value;
      case 'variable':
        return place.variables.findLast(({ name }) => name === operand.name)?.value;
      case 'function':
        return this.#call(operand.name, [], line);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, place);
      case 'fields': {
        let value = this.#operand(operand.of, place, line);
        for (const name of operand.names) value = fieldOf(value, name, line);
        return value;
      }
    }
  }

  #write(text: string, line: number): void {
    this.#length += text.length;
    if (this.#length > LONGEST_OUTPUT) throw new TemplateError(line, 'the output is too long');
    this.#output.push(text);
  }

  #step(count: number): void {
    this.#steps += count;
    if (this.#steps > MOST_STEPS) throw new TemplateError(1, 'the template takes too many steps');
  }
}

function lengthOf(value: Value): number {
  return typeof value === 'string' ? value.length : 0;
}

function assign(place: Place, name: string, value: Value, declares: boolean): void {
  const known = place.variables.findLastIndex(each => each.name === name);
  const variable = place.variables[known];
  if (declares || variable === undefined) place.variables.push({ name, value });
  // The very record: a variable of a block around this one is changed there too.
  else variable.value = value;
}

function entriesOf(value: Value): readonly (readonly [Value, Value])[] | undefined {
  if (value === null || value === undefined) return [];
  if (isList(value)) return value.map((member, index) => [BigInt(index), member]);
  return isMap(value) ? sortedEntries(value) : undefined;
}

function fieldOf(value: Value, name: string, line: number): Value {
  if (isMap(value)) return value.get(name);
  if (isStruct(value) && value.fields.has(name)) return value.fields.get(name);
  const at = `executing "get" at <.${name}>`;
  if (value === null || value === undefined)
    throw new TemplateError(line, `${at}: nil pointer evaluating .${name}`);
  throw new TemplateError(line, `${at}: can't evaluate field ${name} in type ${typeName(value)}`);
}

/**
 * Executes a template. Ends always: depth, steps and output are limited. Throws a TemplateError where the
 * template does not fit the data, with nothing written.
 */
export function executeTemplate(template: Template, data: Value, context: TemplateContext): string {
  return new Evaluator(template, context).run(data);
}
