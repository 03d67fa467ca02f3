import { defaultNftConfig } from '../../dataplane/index.js';
import { ROUTE_PROTOCOL } from '../../net/index.js';
import { bool, ipv4OrNone, oneOf, policyParameters } from '../../policy/index.js';
import type { ValueType } from '../../policy/index.js';
import type { LogLevel } from '../log.js';
import {
  fractionalSeconds,
  hostName,
  integer,
  integerBut,
  logPrefix,
  netlinkGroup,
  port,
  rate,
  seconds,
} from './value-types.js';

/** One parameter of the agent: docs/felix-configuration.md is made from this table. */
export interface Parameter<T> {
  /** as operators write it; any case counts */
  readonly name: string;
  /** other names of the same thing */
  readonly aliases?: readonly string[];
  readonly type: ValueType<T>;
  readonly default: T;
  /** counts only in the environment and the file */
  readonly localOnly?: true;
  /** a change counts from the next start on; else at once */
  readonly needsRestart?: true;
  /** a wrong value in environment or file is refused at the start: the default could open or close too much */
  readonly refused?: true;
  readonly meaning: string;
}

function parameter<T>(definition: Parameter<T>): Parameter<T> {
  return definition;
}

const severities: ValueType<LogLevel> = oneOf<LogLevel>(
  {
    DEBUG: 'debug',
    INFO: 'info',
    WARNING: 'warn',
    WARN: 'warn',
    ERROR: 'error',
    TRACE: 'debug',
    CRITICAL: 'error',
    FATAL: 'error',
  },
  { value: 'silent' },
);

/** BIRD removes routes with its number that it does not know; those with the other one are GoBGP's. */
const ownRouteProtocol = integerBut([12, 186], integer(4, 255, 'a route protocol number'));

const tunnelMtu = integer(0, 65_535, 'an MTU in bytes');

/** Loopback, or an address that the operator chose. */
const listenAddress: ValueType<string> = {
  ...hostName,
  expected: 'an address or host name',
  parse: text => (/^[0-9a-zA-Z_.:-]{1,128}$/.test(text) ? text : undefined),
};

/** Every parameter that has an effect. */
export const parameters = {
  hostname: parameter({
    name: 'FelixHostname',
    type: hostName,
    default: '',
    localOnly: true,
    needsRestart: true,
    refused: true,
    meaning: "Name of this node. `NODENAME` comes first; without both it is the host's name.",
  }),
  interfacePrefixes: parameter({
    ...policyParameters.interfacePrefixes,
    default: defaultNftConfig.interfacePrefixes,
    needsRestart: true,
    refused: true,
    meaning: 'Interfaces whose name begins so are workloads’: closed unless an endpoint is known.',
  }),
  endpointToHostAction: parameter({
    ...policyParameters.defaultEndpointToHostAction,
    default: defaultNftConfig.endpointToHostAction,
    refused: true,
    meaning: "What becomes of a workload's traffic to its own host that its egress policy allows.",
  }),
  failsafeInbound: parameter({
    ...policyParameters.failsafeInbound,
    default: defaultNftConfig.failsafeInbound,
    refused: true,
    meaning: 'Ports of the host that no policy closes; a network is that of the other side.',
  }),
  failsafeOutbound: parameter({
    ...policyParameters.failsafeOutbound,
    default: defaultNftConfig.failsafeOutbound,
    refused: true,
    meaning: 'Ports that the host reaches whatever policy says.',
  }),
  allowDhcpDnsToHost: parameter({
    ...policyParameters.workloadDhcpDnsToHost,
    default: defaultNftConfig.allowDhcpDnsToHost,
    meaning: 'DHCP and DNS (UDP) from a workload to its host pass before policy.',
  }),
  metadataAddress: parameter({
    name: 'MetadataAddr',
    type: ipv4OrNone,
    default: '',
    needsRestart: true,
    refused: true,
    meaning:
      'IPv4 address of a metadata service for workloads: what they ask of 169.254.169.254 port 80 goes there, and no policy keeps them from it. `none`: there is no such service.',
  }),
  metadataPort: parameter({
    name: 'MetadataPort',
    type: port,
    default: 8775,
    needsRestart: true,
    refused: true,
    meaning: 'Its port.',
  }),
  allowIpipFromWorkloads: parameter({
    ...policyParameters.allowIpipFromWorkloads,
    default: defaultNftConfig.allowIpipFromWorkloads,
    meaning: 'Policy decides over IP-in-IP that a workload sends; `false`: it is dropped.',
  }),
  allowVxlanFromWorkloads: parameter({
    ...policyParameters.allowVxlanFromWorkloads,
    default: defaultNftConfig.allowVxlanFromWorkloads,
    meaning: 'Policy decides over what a workload sends to UDP port `VXLANPort`; `false`: it is dropped.',
  }),
  conntrackInvalidAllowed: parameter({
    name: 'DisableConntrackInvalidCheck',
    type: bool,
    default: !defaultNftConfig.dropInvalid,
    meaning: 'Do not drop what connection tracking calls invalid: for asymmetric paths.',
  }),
  dropActionOverride: parameter({
    ...policyParameters.dropActionOverride,
    default: defaultNftConfig.dropActionOverride,
    refused: true,
    meaning:
      'What takes the place of every drop, those at the end of policies and profiles too. With `ACCEPT` **no policy is enforced**. Lines in the log begin with `calico-drop: `.',
  }),
  logPrefix: parameter({
    name: 'LogPrefix',
    type: logPrefix,
    default: defaultNftConfig.logPrefix,
    meaning:
      'Beginning of the lines that rules with the action `log` write; `%t` stands for the tier, `%k` for the kind (policy or profile), `%n` or `%p` for the name of whose rule it is.',
  }),
  logRateLimit: parameter({
    name: 'LogActionRateLimit',
    type: rate,
    default: defaultNftConfig.logRateLimit,
    meaning: 'Most packets that one rule logs, such as `10/second` or `100/minute`; `none`: all.',
  }),
  logRateBurst: parameter({
    name: 'LogActionRateLimitBurst',
    type: integer(1, 9999, 'a number of packets'),
    default: defaultNftConfig.logRateBurst,
    meaning: 'So many packets are logged at once before that limit counts.',
  }),
  logGroup: parameter({
    name: 'LogActionGroup',
    type: netlinkGroup,
    default: defaultNftConfig.logGroup,
    meaning:
      "Netlink group that gets logged packets instead of the kernel's log, for ulogd or `tcpdump -i nflog:N`. The kernel's log tells nothing of packets in network namespaces.",
  }),
  ipv6: parameter({
    ...policyParameters.ipv6,
    default: true,
    needsRestart: true,
    meaning:
      'IPv6 for workloads. `false`: they have no routes for it, and what they send or get of it is dropped.',
  }),
  routeProtocol: parameter({
    name: 'DeviceRouteProtocol',
    type: ownRouteProtocol,
    default: ROUTE_PROTOCOL,
    needsRestart: true,
    meaning: 'Protocol number of our routes to local workloads: what marks them as ours.',
  }),
  routeRefresh: parameter({
    name: 'RouteRefreshInterval',
    aliases: ['InterfaceRefreshInterval'],
    type: seconds,
    default: 90,
    meaning: 'Links, routes and settings are read again this often, besides after each event; 0 never.',
  }),
  nftRefresh: parameter({
    name: 'NftablesRefreshInterval',
    aliases: ['IptablesRefreshInterval'],
    type: seconds,
    default: 90,
    meaning: 'Our table is read back and repaired this often, besides after each foreign change; 0 never.',
  }),
  ipipMtu: parameter({
    name: 'IpInIpMtu',
    type: tunnelMtu,
    default: 0,
    needsRestart: true,
    meaning: 'MTU of `tunl0`; 0: that of the link below, less 20.',
  }),
  vxlanVni: parameter({
    name: 'VXLANVNI',
    type: integer(1, 16_777_215, 'a VXLAN network identifier'),
    default: 4096,
    needsRestart: true,
    meaning: 'VXLAN network identifier between hosts: the same on all of them.',
  }),
  vxlanPort: parameter({
    ...policyParameters.vxlanPort,
    type: port,
    default: defaultNftConfig.vxlanPort,
    needsRestart: true,
    meaning: 'UDP port of VXLAN between hosts: the same on all of them.',
  }),
  vxlanMtu: parameter({
    name: 'VXLANMTU',
    type: tunnelMtu,
    default: 0,
    needsRestart: true,
    meaning: 'MTU of `vxlan.calico`; 0: that of the link below, less 50.',
  }),
  vxlanMtu6: parameter({
    name: 'VXLANMTUV6',
    type: tunnelMtu,
    default: 0,
    needsRestart: true,
    meaning: 'MTU of `vxlan-v6.calico`; 0: that of the link below, less 70.',
  }),
  logLevel: parameter<LogLevel>({
    name: 'LogSeverityScreen',
    type: severities,
    default: 'info',
    meaning:
      'Least severity of the lines on standard output; `none` is silent. `CALICO_LOG_LEVEL` is the same.',
  }),
  healthEnabled: parameter({
    name: 'HealthEnabled',
    type: bool,
    default: false,
    meaning: 'Answer `/liveness` and `/readiness` over TCP (the control socket answers always).',
  }),
  healthHost: parameter({
    name: 'HealthHost',
    type: listenAddress,
    default: 'localhost',
    meaning: 'Where health is answered.',
  }),
  healthPort: parameter({ name: 'HealthPort', type: port, default: 9099, meaning: 'Its port.' }),
  metricsEnabled: parameter({
    name: 'PrometheusMetricsEnabled',
    type: bool,
    default: false,
    meaning: 'Answer `/metrics` in the format of Prometheus.',
  }),
  metricsHost: parameter({
    name: 'PrometheusMetricsHost',
    type: listenAddress,
    default: 'localhost',
    meaning: 'Where metrics are answered; `0.0.0.0` or `::` for all addresses.',
  }),
  metricsPort: parameter({
    name: 'PrometheusMetricsPort',
    type: port,
    default: 9091,
    meaning: 'Its port.',
  }),
  reportingInterval: parameter({
    name: 'ReportingIntervalSecs',
    type: seconds,
    default: 30,
    meaning: "The agent's own status is written to the datastore this often; 0 never.",
  }),
  reportingTtl: parameter({
    name: 'ReportingTTLSecs',
    type: seconds,
    default: 90,
    meaning: 'How long that status stays after it was written: it goes with its host; 0 for ever.',
  }),
  endpointReporting: parameter({
    name: 'EndpointReportingEnabled',
    type: bool,
    default: false,
    meaning: 'Write the status of each endpoint of this host to the datastore.',
  }),
  endpointReportingDelay: parameter({
    name: 'EndpointReportingDelaySecs',
    type: fractionalSeconds,
    default: 1,
    meaning: 'Least time between two such writes; what changes meanwhile is written together.',
  }),
} as const;

export type ParameterKey = keyof typeof parameters;

/** The values in force. */
export type FelixConfig = {
  readonly [K in ParameterKey]: (typeof parameters)[K] extends Parameter<infer T> ? T : never;
};
