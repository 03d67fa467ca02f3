import { CalicoError } from '../base/index.js';
import { parseIp } from '../net/index.js';
import type { PeerStatus } from './status.js';
import { peerTypeOf } from './status.js';

/** The best way to a network, as GoBGP's table has it. */
export interface GobgpPath {
  readonly network: string;
  readonly nextHop: string;
  /** originated by this node */
  readonly local: boolean;
}

const NEXT_HOP = 3;
const MP_REACH = 14;
const SESSION_STATES = ['Idle', 'Idle', 'Connect', 'Active', 'Opensent', 'Openconfirm', 'Established'];

/** Reads the answer to `global rib -j`: the best path of each network. */
export function parseRib(text: string): readonly GobgpPath[] {
  return Object.entries(members(parse(text))).flatMap(([network, paths]) => {
    const all = list(paths).map(members);
    const best = all.find(path => path['best'] === true) ?? all[0];
    if (best === undefined) return [];
    const attributes = list(best['attrs']).map(members);
    const hop = attributes.find(({ type }) => type === NEXT_HOP || type === MP_REACH)?.['nexthop'];
    if (typeof hop !== 'string') return [];
    return [{ network, nextHop: hop, local: best['neighbor-ip'] === undefined }];
  });
}

/** Reads the answer to `neighbor -j`; `now` in seconds since the epoch. */
export function parseNeighbors(text: string, now: number): readonly PeerStatus[] {
  return list(parse(text)).flatMap((entry): readonly PeerStatus[] => {
    const { conf, state, timers } = members(entry);
    const { description, neighbor_address: address } = members(conf);
    const session = Number(members(state)['session_state'] ?? 0);
    if (typeof description !== 'string' || typeof address !== 'string') return [];
    const type = peerTypeOf(description);
    const version = parseIp(address)?.version;
    if (type === undefined || version === undefined) return [];
    const up = Number(members(members(members(timers)['state'])['uptime'])['seconds'] ?? 0);
    return [
      {
        version,
        address,
        type,
        state: 'up',
        since: session === 6 && up > 0 ? durationText(now - up) : 'never',
        info: SESSION_STATES[session] ?? 'Idle',
      },
    ];
  });
}

/** `HH:MM:SS`, from one day on `<d>d HH:MM:SS`. */
function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const part = (value: number): string => String(value).padStart(2, '0');
  const clock = [Math.floor(whole / 3600) % 24, Math.floor(whole / 60) % 60, whole % 60].map(part).join(':');
  const days = Math.floor(whole / 86_400);
  return days === 0 ? clock : `${String(days)}d ${clock}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CalicoError('corrupt', `GoBGP answered something that is not JSON: ${text.slice(0, 80)}`, {
      cause: error,
    });
  }
}

function members(value: unknown): Readonly<Record<string, unknown>> {
  // Any object may be read by name; what is found there is unknown until it is looked at.
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
