import { nearestWord } from '../../base/index.js';
import { canonicalCidr, canonicalIp } from '../../net/index.js';
import { kindOfWord, kinds } from '../../resources/index.js';
import type { Kind } from '../../resources/index.js';
import { text } from '../command.js';
import { visible } from '../output/index.js';

/** What the user says about a resource on the command line. */
export interface NamedOptions {
  readonly kind: string;
  readonly name: string | undefined;
  readonly node: string | undefined;
  readonly orchestrator: string | undefined;
  readonly workload: string | undefined;
  readonly scope: string | undefined;
}

/** The same as options of a command. */
export const namedOptionDefinitions = {
  kind: text('<KIND>'),
  name: text('<NAME>'),
  node: text('--node'),
  orchestrator: text('--orchestrator'),
  workload: text('--workload'),
  scope: text('--scope'),
};

export type Identifiers = Readonly<Record<string, string>>;

export type NamedResource =
  | { readonly ok: true; readonly kind: Kind; readonly identifiers: Identifiers }
  | { readonly ok: false; readonly message: string };

/** The options that identify a resource of each kind; what is given beside them is ignored. */
const identifiersOf: {
  readonly [K in Kind]: (options: NamedOptions) => Readonly<Record<string, string | undefined>>;
} = {
  bgpPeer: ({ scope, node, name }) => ({ scope, node, peerIP: name }),
  hostEndpoint: ({ node, name }) => ({ node, name }),
  ipPool: ({ name }) => ({ cidr: name }),
  node: ({ name }) => ({ name }),
  policy: ({ name }) => ({ name }),
  profile: ({ name }) => ({ name }),
  workloadEndpoint: ({ node, orchestrator, workload, name }) => ({ node, orchestrator, workload, name }),
};

function unsupportedKind(word: string): string {
  const meant = nearestWord(word, kinds);
  const hint = meant === undefined ? '' : ` (did you mean '${meant}'?)`;
  return `Resource type '${visible(word)}' is not supported${hint}`;
}

/** What stands behind the kind in a name of one word, as `-o name` prints it; undefined when it is none of the kind. */
function identifiersIn(kind: Kind, rest: string): Partial<NamedOptions> | undefined {
  const parts = rest.split('/');
  const [first = '', second = '', third = '', fourth = ''] = parts;
  switch (kind) {
    case 'hostEndpoint':
      return parts.length === 2 ? { node: first, name: second } : undefined;
    case 'workloadEndpoint':
      return parts.length === 4
        ? { node: first, orchestrator: second, workload: third, name: fourth }
        : undefined;
    case 'bgpPeer':
      if (parts.length === 2 && first === 'global') return { scope: first, name: second };
      return parts.length === 3 && first === 'node' ? { scope: first, node: second, name: third } : undefined;
    case 'ipPool':
      return { name: rest };
    case 'node':
    case 'policy':
    case 'profile':
      return parts.length === 1 ? { name: rest } : undefined;
  }
}

/** The options with a name of one word (`policy/web`) taken apart; as they are when there is none. */
function takenApart(options: NamedOptions): NamedOptions {
  const slash = options.kind.indexOf('/');
  const kind = kindOfWord(options.kind.slice(0, Math.max(0, slash)));
  const rest = options.kind.slice(slash + 1);
  if (kind === undefined || rest === '' || options.name !== undefined) return options;
  const named = identifiersIn(kind, rest);
  return named === undefined ? options : { ...options, ...named, kind };
}

/** Reads kind word and identifiers; names of pools and peers become canonical (`calicoctl.md` 3.2). */
export function readNamedResource(typed: NamedOptions): NamedResource {
  const options = takenApart(typed);
  const kind = kindOfWord(options.kind);
  if (kind === undefined) return { ok: false, message: unsupportedKind(options.kind) };
  const { name, scope } = options;
  let canonical = name;
  if (kind === 'ipPool' && name !== undefined) {
    canonical = canonicalCidr(name);
    if (canonical === undefined) return { ok: false, message: `invalid CIDR address: ${visible(name)}` };
  }
  if (kind === 'bgpPeer') {
    if (name !== undefined) canonical = canonicalIp(name);
    if (name !== undefined && canonical === undefined) {
      return { ok: false, message: `invalid IP address: ${visible(name)}` };
    }
    if (scope !== undefined && scope !== 'global' && scope !== 'node') {
      return { ok: false, message: `Unrecognized scope '${visible(scope)}', must be one of: global, node` };
    }
  }
  const given = Object.entries(identifiersOf[kind]({ ...options, name: canonical }));
  const identifiers = Object.fromEntries(
    given.filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return { ok: true, kind, identifiers };
}
