import { CalicoError } from '../../base/index.js';
import { parseCidr, ROUTE_PROTOCOL, widthOf } from '../../net/index.js';
import type { Cidr } from '../../net/index.js';
import { FAMILY_IPV4, familyOf, ipBytes, readIp, requireIp } from '../address-bytes.js';
import { forEachAttribute, readU32 } from '../codec.js';
import type { Message, MessageWriter } from '../codec.js';
import type { RouteInfo, RouteRequest } from '../host-network.js';
import { expectSuccess } from '../kernel-error.js';
import { NLM_F_CREATE, NLM_F_REPLACE } from '../socket.js';
import type { NetlinkSocket } from '../socket.js';

export const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;

const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
const RTMSG_LENGTH = 12;

const RT_TABLE_MAIN = 254;
const RT_SCOPE_NOWHERE = 255;
const RTNH_F_ONLINK = 4;
const RTN_UNSPEC = 0;
const RTN_UNICAST = 1;
const RTN_BLACKHOLE = 6;
/** set on entries of the cache, which are not routes that anybody configured */
const RTM_F_CLONED = 0x200;
/** asks for the route as it is configured, not as it is resolved for one packet */
const RTM_F_FIB_MATCH = 0x2000;

const ESRCH = -3;
const ENODEV = -19;
// No route, and what the kernel answers for blackhole, unreachable and prohibit routes.
const ENETUNREACH = -101;
const EHOSTUNREACH = -113;
const EINVAL = -22;
const EACCES = -13;

/** `RT_SCOPE_*`, for routes and addresses. */
export const scopeNumbers = { universe: 0, link: 253 } as const;

const routeTypes: Readonly<Record<number, RouteInfo['type']>> = {
  1: 'unicast',
  2: 'local',
  6: 'blackhole',
  7: 'unreachable',
  8: 'prohibit',
};

function requireCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new CalicoError('invalid', `"${text}" is not a route's destination`);
  return cidr;
}

/** A route without gateway reaches neighbours only; IPv6 knows no scopes. */
function scopeOf(route: RouteRequest, version: 4 | 6): number {
  if (version === 6) return scopeNumbers.universe;
  if (route.scope !== undefined) return scopeNumbers[route.scope];
  const direct = route.gateway === undefined && (route.type ?? 'unicast') === 'unicast';
  return direct ? scopeNumbers.link : scopeNumbers.universe;
}

/** The body of NEWROUTE, or of DELROUTE, where a scope or type that was not given means any. */
export function writeRoute(writer: MessageWriter, route: RouteRequest, purpose: 'replace' | 'delete'): void {
  const destination = requireCidr(route.destination);
  const scope =
    purpose === 'delete' && route.scope === undefined
      ? RT_SCOPE_NOWHERE
      : scopeOf(route, destination.version);
  writer.u8(familyOf(destination.version)).u8(destination.length).u8(0).u8(0);
  writer
    .u8(RT_TABLE_MAIN)
    .u8(route.protocol ?? ROUTE_PROTOCOL)
    .u8(scope);
  const plain = purpose === 'delete' && route.type === undefined ? RTN_UNSPEC : RTN_UNICAST;
  writer.u8(route.type === 'blackhole' ? RTN_BLACKHOLE : plain);
  writer.u32(route.onlink === true ? RTNH_F_ONLINK : 0);
  if (destination.length > 0) writer.attribute(RTA_DST, ipBytes(destination));
  if (route.gateway !== undefined) writer.attribute(RTA_GATEWAY, ipBytes(requireIp(route.gateway)));
  if (route.interfaceIndex !== undefined) writer.attributeU32(RTA_OIF, route.interfaceIndex);
  if (route.metric !== undefined) writer.attributeU32(RTA_PRIORITY, route.metric);
  if (route.source !== undefined) writer.attribute(RTA_PREFSRC, ipBytes(requireIp(route.source)));
}

function describe({ destination, gateway, interfaceIndex }: RouteRequest): string {
  return [
    `route ${destination}`,
    gateway === undefined ? '' : ` via ${gateway}`,
    interfaceIndex === undefined ? '' : ` on link ${String(interfaceIndex)}`,
  ].join('');
}

export function replaceRoute(socket: NetlinkSocket, route: RouteRequest): void {
  const answer = socket.request({
    type: RTM_NEWROUTE,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    write: writer => {
      writeRoute(writer, route, 'replace');
    },
  });
  expectSuccess(`replace ${describe(route)}`, answer);
}

export function deleteRoute(socket: NetlinkSocket, route: RouteRequest): void {
  const answer = socket.request({
    type: RTM_DELROUTE,
    write: writer => {
      writeRoute(writer, route, 'delete');
    },
  });
  // Gone with its interface, or by somebody else: what was wanted.
  expectSuccess(`delete ${describe(route)}`, answer, [ESRCH, ENODEV]);
}

/** The body of GETROUTE for one address. */
export function writeRouteLookup(writer: MessageWriter, address: string): void {
  const ip = requireIp(address);
  writer.u8(familyOf(ip.version)).u8(widthOf(ip.version)).u8(0).u8(0);
  writer.u8(0).u8(0).u8(0).u8(0).u32(RTM_F_FIB_MATCH);
  writer.attribute(RTA_DST, ipBytes(ip));
}

/** The configured route that an address falls under; undefined when there is none, or one that drops. */
export function routeTo(socket: NetlinkSocket, address: string): RouteInfo | undefined {
  let found: RouteInfo | undefined;
  const request = {
    type: RTM_GETROUTE,
    write: (writer: MessageWriter) => {
      writeRouteLookup(writer, address);
    },
  };
  const answer = socket.request(request, message => {
    if (message.type === RTM_NEWROUTE) found = readRoute(message);
  });
  expectSuccess(`look up the route to ${address}`, answer, [ENETUNREACH, EHOSTUNREACH, EINVAL, EACCES]);
  return found;
}

/** A NEWROUTE or DELROUTE message as an object; undefined for an entry of the cache. */
export function readRoute({ view, start, end }: Message): RouteInfo | undefined {
  if ((readU32(view, start + 8) & RTM_F_CLONED) !== 0) return undefined;
  const family = view.getUint8(start);
  let address = family === FAMILY_IPV4 ? '0.0.0.0' : '::';
  let gateway: string | undefined;
  let interfaceIndex: number | undefined;
  let table = view.getUint8(start + 4);
  let metric = 0;
  forEachAttribute({ view, start: start + RTMSG_LENGTH, end }, (type, at, length) => {
    if (type === RTA_DST) address = readIp(view, at, length);
    else if (type === RTA_GATEWAY) gateway = readIp(view, at, length);
    else if (type === RTA_OIF) interfaceIndex = readU32(view, at);
    else if (type === RTA_PRIORITY) metric = readU32(view, at);
    else if (type === RTA_TABLE) table = readU32(view, at);
  });
  return {
    destination: `${address}/${String(view.getUint8(start + 1))}`,
    gateway,
    interfaceIndex,
    protocol: view.getUint8(start + 5),
    scope: view.getUint8(start + 6),
    table,
    type: routeTypes[view.getUint8(start + 7)] ?? 'other',
    metric,
  };
}

/** All routes of both families and all tables. */
export function dumpRoutes(socket: NetlinkSocket): readonly RouteInfo[] {
  return ([4, 6] as const).flatMap(version => {
    const request = {
      type: RTM_GETROUTE,
      write: (writer: MessageWriter) => writer.u8(familyOf(version)).u8(0).u16(0).u32(0).u32(0),
    };
    return socket.dump('list routes', request, message =>
      message.type === RTM_NEWROUTE ? readRoute(message) : undefined,
    );
  });
}
