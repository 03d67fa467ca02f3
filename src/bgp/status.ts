import { CalicoError } from '../base/index.js';
import { parseIp } from '../net/index.js';
import type { IpVersion } from '../net/index.js';
import type { BirdReply } from './bird-reply.js';

/** The words of `calicoctl node status` for where a peer comes from. */
export type PeerType = 'node-to-node mesh' | 'global' | 'node specific';

/** One session as BIRD shows it. */
export interface PeerStatus {
  readonly version: IpVersion;
  readonly address: string;
  readonly type: PeerType;
  /** BIRD's own word: `up`, `start`, `down` */
  readonly state: string;
  readonly since: string;
  /** BGP state, and the last error where there is one: `Active Socket: Connection refused` */
  readonly info: string;
}

/** How many routes BIRD holds of each version, over all sources. */
export interface RouteCounts {
  readonly 4: number;
  readonly 6: number;
}

const TYPES: Readonly<Record<string, PeerType>> = {
  Mesh: 'node-to-node mesh',
  Global: 'global',
  Node: 'node specific',
};

const HEADING = 'name proto table state since info';
const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const TIME = /^[0-9]{2}:[0-9]{2}:[0-9]{2}/;

/**
 * Reads the answer to `show protocols`, of BIRD 1 or 2. Rows that are not sessions of ours are left out; a
 * heading or a code that does not belong there is a CalicoError `corrupt`.
 */
export function parseProtocols(reply: BirdReply): readonly PeerStatus[] {
  const peers: PeerStatus[] = [];
  for (const { code, text } of reply.lines) {
    switch (code) {
      case 2002:
        if (words(text).join(' ').toLowerCase() !== HEADING) {
          throw new CalicoError('corrupt', 'unknown BIRD table output format');
        }
        break;
      case 1002:
        peers.push(...peerOf(words(text)));
        break;
      case 0:
        break;
      default:
        throw new CalicoError('corrupt', 'unexpected output line from BIRD');
    }
  }
  if (reply.code !== 0) throw new CalicoError('corrupt', 'unexpected output line from BIRD');
  return peers;
}

/** The names in the answer to `show protocols`, of every kind of protocol. */
export function parseProtocolNames(reply: BirdReply): ReadonlySet<string> {
  const rows = reply.lines.filter(({ code }) => code === 1002);
  return new Set(rows.map(({ text }) => words(text)[0] ?? ''));
}

/** Reads the answer to `show route count`; a table that is not mentioned has none. */
export function parseRouteCounts(reply: BirdReply): RouteCounts {
  const counts = { 4: 0, 6: 0 };
  for (const { text } of reply.lines) {
    const match = /^([0-9]+) of [0-9]+ routes? .* table master([46])$/.exec(text.trim());
    if (match !== null) counts[match[2] === '4' ? 4 : 6] = Number(match[1]);
  }
  return counts;
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter(word => word !== '');
}

/** The type of the session that has this name; undefined for one that is not ours. */
export function peerTypeOf(name: string): PeerType | undefined {
  const [, kind = ''] = /^(Global|Node|Mesh)_([0-9a-fA-F_]+)$/.exec(name) ?? [];
  return TYPES[kind];
}

function peerOf(columns: readonly string[]): readonly PeerStatus[] {
  const [name = '', proto, , state, date, ...rest] = columns;
  const [, kind = '', packed = ''] = /^(Global|Node|Mesh)_([0-9a-fA-F_]+)$/.exec(name) ?? [];
  const type = TYPES[kind];
  if (proto !== 'BGP' || type === undefined || state === undefined || date === undefined) return [];
  const dotted = /^[0-9]+(_[0-9]+){3}$/.test(packed);
  const address = packed.replaceAll('_', dotted ? '.' : ':');
  const version = parseIp(address)?.version;
  if (version === undefined) return [];
  // The long time format is two words; ours is one, but the daemon may have been started by somebody else.
  const isLong = DATE.test(date) && TIME.test(rest[0] ?? '');
  const since = isLong ? `${date} ${rest[0] ?? ''}` : date;
  return [{ version, address, type, state, since, info: rest.slice(isLong ? 1 : 0).join(' ') }];
}
