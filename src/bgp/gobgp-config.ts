import { formatCidr, formatIp, hostCidr } from '../net/index.js';
import type { Ip, IpVersion } from '../net/index.js';
import { addressOf, DEFAULT_HOLD_TIME } from './config.js';
import type { BgpState } from './config.js';
import { routerId } from './router-id.js';
import { sessionsOf } from './sessions.js';
import type { Session } from './sessions.js';

/** What GoBGP has to be told for one node. Equal state gives equal texts. */
export interface GobgpPlan {
  /** the configuration file, as JSON; a change is taken at SIGHUP */
  readonly config: string;
  /** what in it only counts at the start of the daemon */
  readonly identity: string;
  /** networks that this node originates, each with its next hop */
  readonly paths: ReadonlyMap<string, string>;
  /** those of them where packets to unassigned addresses end */
  readonly blackholes: readonly string[];
}

const VERSIONS: readonly IpVersion[] = [4, 6];
const RESTART_TIME = 60;
const OUTSIDE = 'outside';

/** The plan for a state; the same sessions as BIRD would have. */
export function planGobgp(state: BgpState): GobgpPlan {
  const sessions = VERSIONS.flatMap(version => sessionsOf(state, version));
  const asNumber = state.node.asNumber ?? state.asNumber;
  const identity = { as: asNumber, 'router-id': routerId(state.node), ...localAddresses(state) };
  const outside = sessions.filter(({ type, asNumber: other }) => type !== 'Node' && other !== asNumber);
  return {
    config: JSON.stringify({
      global: { config: identity, ...(outside.length === 0 ? {} : exportPolicy()) },
      neighbors: sessions.flatMap(session => neighbor(state, session)),
      ...(outside.length === 0 ? {} : policies(outside)),
    }),
    identity: JSON.stringify(identity),
    paths: new Map(VERSIONS.flatMap(version => paths(state, version))),
    blackholes: state.blocks.filter(block => block.length < hostCidr(block).length).map(formatCidr),
  };
}

/** The daemon listens on the node's addresses only: on others there may be routers of somebody else. */
function localAddresses({ node }: BgpState): object {
  const own = VERSIONS.flatMap(version => addressOf(node, version) ?? []).map(formatIp);
  return own.length === 0 ? { port: -1 } : { 'local-address-list': own };
}

function paths(state: BgpState, version: IpVersion): readonly (readonly [string, string])[] {
  const own = addressOf(state.node, version);
  if (own === undefined) return [];
  return [...state.blocks, ...state.borrowedHere]
    .filter(network => network.version === version)
    .map(network => [formatCidr(network), formatIp(own)]);
}

function neighbor(state: BgpState, session: Session): readonly object[] {
  const { address, asNumber, name, password, client } = session;
  const own = addressOf(state.node, address.version);
  // It refuses a whole configuration with a session to itself.
  if (own === undefined || isSame(own, address)) return [];
  const { holdTime = DEFAULT_HOLD_TIME } = state;
  const outside = asNumber !== (state.node.asNumber ?? state.asNumber);
  return [
    {
      config: {
        'neighbor-address': formatIp(address),
        'peer-as': asNumber,
        description: name,
        ...(password === undefined ? {} : { 'auth-password': password }),
      },
      transport: { config: { 'local-address': formatIp(own) } },
      timers: {
        config: {
          'hold-time': holdTime,
          'keepalive-interval': Math.floor(holdTime / 3),
          'connect-retry': 5,
          'idle-hold-time-after-reset': 5,
        },
      },
      'graceful-restart': { config: { enabled: true, 'restart-time': RESTART_TIME } },
      ...(outside ? { 'ebgp-multihop': { config: { enabled: true, 'multihop-ttl': 255 } } } : {}),
      ...(client ? { 'route-reflector': reflector(state) } : {}),
      'afi-safis': [
        {
          config: { 'afi-safi-name': `ipv${String(address.version)}-unicast` },
          'mp-graceful-restart': { config: { enabled: true } },
        },
      ],
    },
  ];
}

function isSame(a: Ip, b: Ip): boolean {
  return a.version === b.version && a.bits === b.bits;
}

function reflector({ node }: BgpState): object {
  return { config: { 'route-reflector-client': true, 'route-reflector-cluster-id': node.clusterId } };
}

function exportPolicy(): object {
  const config = { 'export-policy-list': [OUTSIDE], 'default-export-policy': 'accept-route' };
  return { 'apply-policy': { config } };
}

/** Speakers outside that every node talks to hear from each node what it originates, and no more. */
function policies(outside: readonly Session[]): object {
  const toOutside = { 'match-neighbor-set': { 'neighbor-set': OUTSIDE } };
  const addresses = outside.map(
    ({ address }) => `${formatIp(address)}/${address.version === 4 ? '32' : '128'}`,
  );
  return {
    'defined-sets': {
      'neighbor-sets': [{ 'neighbor-set-name': OUTSIDE, 'neighbor-info-list': addresses }],
    },
    'policy-definitions': [
      {
        name: OUTSIDE,
        statements: [
          {
            name: 'own',
            conditions: { ...toOutside, 'bgp-conditions': { 'route-type': 'local' } },
            actions: { 'route-disposition': 'accept-route' },
          },
          { name: 'others', conditions: toOutside, actions: { 'route-disposition': 'reject-route' } },
        ],
      },
    ],
  };
}
