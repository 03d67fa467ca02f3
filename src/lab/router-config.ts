import type { LabNetwork, LabPlan, LabRouter } from './plan.js';

/**
 * Configurations of a router's own BGP daemon. It accepts a session from any host that has it as a peer. A host
 * that falls silent is given up after 6 seconds: a router at home in a data centre would use BFD.
 */
const HOLD_SECONDS = 6;
const KEEPALIVE_SECONDS = 2;
/** Most routers between a host and its peer. */
const MOST_HOPS = 8;

type RouterBgpOf = NonNullable<LabRouter['bgp']>;

/** The networks from which hosts may call. */
function networksWithHosts(plan: LabPlan): readonly LabNetwork[] {
  return plan.networks.filter(({ name }) => plan.hosts.some(host => host.network === name));
}

function isIpv6(cidr: string): boolean {
  return cidr.includes(':');
}

function birdSessions(plan: LabPlan, bgp: RouterBgpOf): readonly string[] {
  const side = bgp.routeReflector ? 'internal' : 'external';
  const reflect = bgp.routeReflector ? ' rr client;' : '';
  // A reflector keeps the true next hop; what an outside router tells is its own word.
  const told = bgp.routeReflector ? 'source = RTS_BGP || source = RTS_STATIC' : 'source = RTS_STATIC';
  return networksWithHosts(plan).flatMap(({ bridge, ipv4, ipv6 }) =>
    [ipv4, ipv6].map(range => {
      const v = isIpv6(range) ? '6' : '4';
      return (
        `protocol bgp ${bridge}_v${v} from host { neighbor range ${range} ${side}; dynamic name "host${v}_";` +
        `${reflect} ipv${v} { import all; export where ${told}; gateway recursive; }; }`
      );
    }),
  );
}

/** For BIRD 2: what it hears goes into the router's kernel. */
export function birdRouterConfig(plan: LabPlan, router: LabRouter, bgp: RouterBgpOf): string {
  const kernel = (v: string): string =>
    `protocol kernel kernel${v} { learn; scan time 2; merge paths on; ipv${v} { import all; export where source = RTS_BGP; }; }`;
  const announced = (v: string): string => {
    const routes = bgp.announces.filter(cidr => isIpv6(cidr) === (v === '6'));
    return `protocol static announced${v} { ipv${v}; ${routes.map(cidr => `route ${cidr} blackhole; `).join('')}}`;
  };
  return [
    `router id ${router.links[0]?.ipv4 ?? ''};`,
    'timeformat protocol iso short;',
    'protocol device { scan time 2; }',
    'protocol direct own { ipv4; ipv6; }',
    ...['4', '6'].flatMap(v => [kernel(v), announced(v)]),
    'template bgp host {',
    `  local as ${String(bgp.asNumber)};`,
    `  multihop ${String(MOST_HOPS)};`,
    `  hold time ${String(HOLD_SECONDS)}; keepalive time ${String(KEEPALIVE_SECONDS)};`,
    // As long as it waits after an error it refuses the host that has come back.
    '  error wait time 1, 2;',
    '  graceful restart aware;',
    '}',
    ...birdSessions(plan, bgp),
    '',
  ].join('\n');
}

/** For bgpd of FRR, beside a zebra that brings what it hears into the router's kernel. */
export function frrRouterConfig(plan: LabPlan, router: LabRouter, bgp: RouterBgpOf): string {
  const versions = ['4', '6'] as const;
  const peers = versions.flatMap(v => [
    ` neighbor hosts${v} peer-group`,
    ` neighbor hosts${v} remote-as ${bgp.routeReflector ? 'internal' : 'external'}`,
    ` neighbor hosts${v} timers ${String(KEEPALIVE_SECONDS)} ${String(HOLD_SECONDS)}`,
    ...(bgp.routeReflector ? [] : [` neighbor hosts${v} ebgp-multihop ${String(MOST_HOPS)}`]),
  ]);
  const ranges = networksWithHosts(plan).flatMap(({ ipv4, ipv6 }) => [
    ` bgp listen range ${ipv4} peer-group hosts4`,
    ` bgp listen range ${ipv6} peer-group hosts6`,
  ]);
  const families = versions.flatMap(v => [
    ` address-family ipv${v} unicast`,
    ...bgp.announces.filter(cidr => isIpv6(cidr) === (v === '6')).map(cidr => `  network ${cidr}`),
    ...versions.map(other => `  ${other === v ? '' : 'no '}neighbor hosts${other} activate`),
    ...(bgp.routeReflector ? [`  neighbor hosts${v} route-reflector-client`] : []),
    ' exit-address-family',
  ]);
  return [
    `router bgp ${String(bgp.asNumber)}`,
    ` bgp router-id ${router.links[0]?.ipv4 ?? ''}`,
    // Without these FRR takes nothing from another AS before it has a policy, and says nothing it has no route to.
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' bgp listen limit 1000',
    ...peers,
    ...ranges,
    ...families,
    '!',
    '',
  ].join('\n');
}
