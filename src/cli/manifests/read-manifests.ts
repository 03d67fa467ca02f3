import { isCalicoError } from '../../base/index.js';
import { parseDocument } from '../../resources/index.js';
import type { Resource } from '../../resources/index.js';
import { visible } from '../output/index.js';
import { decodeJson } from './decode-json.js';
import type { Decoded } from './decode-yaml.js';
import { describeProblems } from './describe-problems.js';
import type { PlacedProblem } from './describe-problems.js';
import { expandPaths } from './expand-paths.js';
import { describeRepeated } from './find-repeated.js';
import type { ResourcePlace } from './find-repeated.js';
import { inputName, readInput } from './read-input.js';
import type { InputSource, InputSources } from './read-input.js';
import { settleScalars } from './settle-scalars.js';
import { splitDocuments } from './split-documents.js';

/** All resources of an input in its order, or what is wrong with it; `message` may have several lines. */
export type Manifests =
  | {
      readonly ok: true;
      readonly resources: readonly Resource[];
      /** where each of the resources stands */
      readonly places: readonly ResourcePlace[];
    }
  | { readonly ok: false; readonly message: string };

/** Problems that are shown; reading ends when there are as many. */
const MOST_PROBLEMS = 100;

/** Twice as many as resources of usual size fill the largest input. */
const MOST_DOCUMENTS = 200_000;

const empty: Decoded = { ok: true, values: [undefined], hasPlainScalars: false };

/** A document without as much as a comment: `---`, and nothing. */
function isEmpty(text: string): boolean {
  return text.length < 100 && text.startsWith('---') && text.trim() === '---';
}

class ManifestReader {
  readonly #input: string;
  readonly resources: Resource[] = [];
  readonly places: ResourcePlace[] = [];
  readonly problems: PlacedProblem[] = [];
  /** documents so far, the empty ones included */
  documents = 0;
  filled = 0;

  constructor(input: string) {
    this.#input = input;
  }

  take(value: unknown, document: number): void {
    this.filled++;
    const parsed = parseDocument(value);
    // One by one: a spread of very many arguments would exhaust the stack.
    if (!parsed.ok) for (const problem of parsed.problems) this.problems.push({ problem, document });
    else this.#add(parsed.resources, document);
  }

  #add(resources: readonly Resource[], document: number): void {
    const input = this.#input;
    for (const [index, resource] of resources.entries()) {
      this.resources.push(resource);
      this.places.push(resources.length === 1 ? { input, document } : { input, document, member: index + 1 });
    }
  }

  result(): Manifests {
    if (this.filled === 0) this.take(undefined, 1);
    if (this.problems.length === 0) return { ok: true, resources: this.resources, places: this.places };
    const shown = this.problems.slice(0, MOST_PROBLEMS);
    const message = describeProblems(shown, this.#input);
    const hidden = this.problems.length - shown.length;
    return { ok: false, message: hidden > 0 ? `${message}-  (+ ${String(hidden)} more)\n` : message };
  }
}

function syntaxMessage(failure: Extract<Decoded, { ok: false }>, firstLine: number, place: string): string {
  // The original found this one behind its YAML parser, and knew no line.
  if (failure.reason.startsWith('Unsupported map key'))
    return visible(`error parsing document: ${failure.reason} (${place})`);
  const line = failure.line === undefined ? '' : `line ${String(firstLine + failure.line + 1)}: `;
  const { excerpt = '' } = failure;
  const source = excerpt === '' ? '' : `: ${excerpt}`;
  return visible(`error parsing document: yaml: ${line}${failure.reason} (${place}${source})`);
}

/** Reads the resources out of a text; `input` is its name in messages. Never throws for bad input. */
export async function parseManifests(text: string, input: string): Promise<Manifests> {
  const reader = new ManifestReader(input);
  const json = decodeJson(text);
  if (json !== undefined) {
    reader.take(json.value, 1);
    return reader.result();
  }
  const { yamlDecoder } = await import('./decode-yaml.js');
  const decoder = yamlDecoder();
  for (const document of splitDocuments(text)) {
    const decoded = isEmpty(document.text) ? empty : decoder.decode(document.text);
    if (!decoded.ok) {
      const place = `${input}, document ${String(reader.documents + 1)}`;
      return { ok: false, message: syntaxMessage(decoded, document.firstLine, place) };
    }
    if (reader.documents >= MOST_DOCUMENTS) {
      return { ok: false, message: `read ${input}: more than ${String(MOST_DOCUMENTS)} documents` };
    }
    for (const value of decoded.values) {
      reader.documents++;
      if (value === null || value === undefined) continue;
      reader.take(decoded.hasPlainScalars ? settleScalars(value) : value, reader.documents);
    }
    if (reader.problems.length > MOST_PROBLEMS) break;
  }
  return reader.result();
}

async function readOne(source: InputSource): Promise<Manifests> {
  try {
    return await parseManifests(await readInput(source), inputName(source.filename));
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    return { ok: false, message: visible(error.message) };
  }
}

/**
 * Reads the resources of files, directories or standard input; what is wrong is told of every file. That one is
 * given twice is wrong too, unless `repeatable` says that it does no harm.
 */
export async function readManifests({
  filenames,
  recursive = false,
  repeatable = false,
  stdin,
}: InputSources): Promise<Manifests> {
  let paths: readonly string[];
  try {
    paths = await expandPaths(filenames, recursive);
  } catch (error) {
    if (!isCalicoError(error, 'invalid')) throw error;
    return { ok: false, message: visible(error.message) };
  }
  const resources: Resource[] = [];
  const places: ResourcePlace[] = [];
  const messages: string[] = [];
  for (const filename of paths) {
    const read = await readOne({ filename, stdin });
    if (!read.ok) messages.push(read.message);
    else {
      // One by one: a spread of very many arguments would exhaust the stack.
      for (const resource of read.resources) resources.push(resource);
      for (const place of read.places) places.push(place);
    }
  }
  if (messages.length === 0) {
    const repeated = repeatable ? [] : describeRepeated(resources, places);
    if (repeated.length > 0) return { ok: false, message: repeated.join('\n') };
    return { ok: true, resources, places };
  }
  const [only = ''] = messages;
  // A message of several lines ends with an empty line; between files that would tear them apart.
  const joined = messages.map(message => message.replace(/\n$/, '')).join('\n');
  return { ok: false, message: messages.length === 1 ? only : joined };
}
