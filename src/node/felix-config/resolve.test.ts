import { describe, expect, test } from 'vitest';
import { policyParameters } from '../../policy/index.js';
import type { ValueType } from '../../policy/index.js';
import { parseConfigFile } from './config-file.js';
import { parameters } from './parameters.js';
import type { ParameterKey } from './parameters.js';
import { origins, resolveConfig } from './resolve.js';
import type { Origin, Resolved, Sources } from './resolve.js';
import { withoutEffect } from './without-effect.js';

type Values = Readonly<Record<string, string>>;

function sources(given: Partial<Record<Origin, Values>>): Sources {
  const empty = Object.fromEntries(origins.map(origin => [origin, new Map<string, string>()]));
  const full = Object.entries(given).map(([origin, values]) => [origin, new Map(Object.entries(values))]);
  return { ...empty, ...Object.fromEntries(full) } as Sources;
}

function resolved(given: Partial<Record<Origin, Values>>): Resolved {
  return resolveConfig(sources(given));
}

/** Spec policy-enforcement 9.2 and 9.3. */
const ofTheField = `
  DataplaneDriver DatastoreType FelixHostname EtcdAddr EtcdScheme EtcdKeyFile EtcdCertFile EtcdCaFile EtcdEndpoints
  Ipv6Support IgnoreLooseRPF StartupCleanupDelay PeriodicResyncInterval HostInterfacePollInterval
  IptablesRefreshInterval MetadataAddr MetadataPort InterfacePrefix DefaultEndpointToHostAction DropActionOverride
  LogFilePath EtcdDriverLogFilePath LogSeverityFile LogSeverityScreen LogSeveritySys IpInIpEnabled IpInIpMtu
  IpInIpTunnelAddr ReportingIntervalSecs ReportingTTLSecs EndpointReportingEnabled EndpointReportingDelaySecs
  MaxIpsetSize IptablesMarkMask PrometheusMetricsEnabled PrometheusMetricsPort DataplaneDriverPrometheusMetricsPort
  FailsafeInboundHostPorts FailsafeOutboundHostPorts UsageReportingEnabled ClusterGUID ClusterType
  IptablesGeneratorPlugin RouteRefreshInterval InterfaceRefreshInterval IpsetsRefreshInterval NftablesRefreshInterval
  NftablesMarkMask NftablesFilterAllowAction NftablesFilterDenyAction NftablesMangleAllowAction DeviceRouteProtocol
  DeviceRouteSourceAddress DeviceRouteSourceAddressIPv6 RemoveExternalRoutes RouteSyncDisabled IPForwarding
  InterfaceExclude ChainInsertMode DisableConntrackInvalidCheck WorkloadSourceSpoofing AllowIPIPPacketsFromWorkloads
  AllowVXLANPacketsFromWorkloads ServiceLoopPrevention NATPortRange NATOutgoingAddress NATOutgoingExclusions
  IptablesNATOutgoingInterfaceFilter KubeNodePortRanges LogPrefix LogActionRateLimit LogActionRateLimitBurst
  LogDebugFilenameRegex HealthEnabled HealthHost HealthPort HealthTimeoutOverrides PrometheusMetricsHost
  PrometheusMetricsCAFile PrometheusMetricsCertFile PrometheusMetricsKeyFile PrometheusMetricsClientAuth
  PrometheusGoMetricsEnabled PrometheusProcessMetricsEnabled FloatingIPs EndpointStatusPathPrefix VXLANEnabled
  VXLANPort VXLANVNI VXLANMTU VXLANMTUV6 IPv4VXLANTunnelAddr IPv6VXLANTunnelAddr WireguardEnabled WireguardEnabledV6
  MTUIfacePattern NetlinkTimeoutSecs DataplaneWatchdogTimeout PolicySyncPathPrefix`;

describe('a parameter of the agent', () => {
  test('has its default when nobody says anything, without a word', () => {
    const { values, problems } = resolved({});
    expect(values).toMatchObject({ interfacePrefixes: ['cali'], healthPort: 9099, reportingInterval: 30 });
    expect(problems).toEqual([]);
  });

  test('comes from the strongest source that has it, in whatever case it is spelled', () => {
    const all = {
      environment: { HEALTHPORT: '1' },
      file: { HealthPort: '2' },
      'datastore, this host': { healthport: '3' },
      'datastore, global': { Healthport: '4' },
    };
    const left: Partial<Record<Origin, Values>> = { ...all };
    for (const [index, origin] of origins.entries()) {
      expect(resolved(left).values.healthPort).toBe(index + 1);
      expect(resolved(left).origins.get('healthPort')).toBe(origin);
      delete left[origin];
    }
  });

  // Of these each parameter can read at least two.
  const samples =
    'true false 7 8 4095 DROP ACCEPT LOG-and-DROP RETURN debug error cali tap,veth host-a 10.0.0.1 10.0.0.2 tcp:22 udp:53 10/second 5/minute'.split(
      ' ',
    );

  test.each(Object.entries(parameters))(
    '%s: each source comes before all that are weaker',
    (key, parameter) => {
      const { type }: { readonly type: ValueType<unknown> } = parameter;
      const readable = samples.filter(text => type.parse(text) !== undefined);
      const [strong = '', weak = ''] = readable;
      const valueOf = (text: string): string => type.format(type.parse(text));
      expect(valueOf(strong)).not.toBe(valueOf(weak));
      const allowed = 'localOnly' in parameter ? origins.slice(0, 2) : origins;
      for (const [index, origin] of allowed.entries()) {
        const given = Object.fromEntries(
          allowed.slice(index).map(each => [each, { [parameter.name]: each === origin ? strong : weak }]),
        );
        const { values, origins: from, problems } = resolved(given);
        expect(type.format(values[key as ParameterKey])).toBe(valueOf(strong));
        expect(from.get(key as ParameterKey)).toBe(origin);
        expect(problems).toEqual([]);
      }
    },
  );

  test('that agents of the field know is known here too, or its absence has a reason', () => {
    const names = Object.values(parameters).flatMap(parameter => [
      parameter.name,
      ...('aliases' in parameter ? parameter.aliases : []),
    ]);
    const known = new Set<string>([...names, ...Object.keys(withoutEffect)]);
    expect(ofTheField.split(/\s+/).filter(name => name !== '' && !known.has(name))).toEqual([]);
    expect(names.filter(name => Object.hasOwn(withoutEffect, name))).toEqual([]);
  });

  test('that cannot be read falls to no weaker source: it is the default, or what it was', () => {
    const given = { file: { HealthPort: 'x' }, 'datastore, global': { HealthPort: '4' } };
    const { values, problems, refusals } = resolved(given);
    expect(values.healthPort).toBe(9099);
    expect(problems).toEqual(["HealthPort in file is 'x': expected a port from 1 to 65535; using 9099"]);
    expect(refusals).toEqual([]);
    const before = resolved({ file: { HealthPort: '7' } }).values;
    expect(resolveConfig(sources(given), before).values.healthPort).toBe(7);
  });

  test('is nothing at all with `none`, where it may be', () => {
    const given = { FailsafeInboundHostPorts: 'None', HealthEnabled: 'none', InterfacePrefix: 'none' };
    const { values, problems } = resolved({ 'datastore, global': given });
    expect(values).toMatchObject({
      failsafeInbound: [],
      healthEnabled: false,
      interfacePrefixes: ['cali'],
    });
    expect(problems).toEqual([expect.stringMatching(/^InterfacePrefix .* it may not be none; using cali$/)]);
  });

  test('does not count when it is empty', () => {
    const { values, problems } = resolved({
      environment: { FailsafeInboundHostPorts: '' },
      'datastore, global': { FailsafeInboundHostPorts: '23' },
    });
    expect(values.failsafeInbound).toEqual([{ protocol: 6, port: 23 }]);
    expect(problems).toEqual([expect.stringContaining('is empty and does not count')]);
  });

  test('that is local does not count from the datastore', () => {
    const { values, problems } = resolved({ 'datastore, this host': { FelixHostname: 'other' } });
    expect(values.hostname).toBe('');
    expect(problems).toHaveLength(1);
  });

  test('is refused where its default could open or close too much', () => {
    expect(resolved({ environment: { InterfacePrefix: 'a/b' } }).refusals).toHaveLength(1);
    expect(resolved({ 'datastore, global': { InterfacePrefix: 'a/b' } }).refusals).toEqual([]);
  });

  test('has other names, and the strongest of them counts', () => {
    const { values } = resolved({
      file: { NftablesRefreshInterval: '5' },
      environment: { IptablesRefreshInterval: '6' },
    });
    expect(values.nftRefresh).toBe(6);
  });

  test('that nobody knows, or that does nothing here, is said', () => {
    const { problems } = resolved({
      file: { Colour: 'red', IptablesMarkMask: '0xff' },
      'datastore, global': { ClusterGUID: 'x' },
    });
    expect(problems).toEqual([
      'Colour in file has no effect: there is no such parameter',
      'IptablesMarkMask in file has no effect: only preDNAT policies mark packets, with the bit 0x1000000',
    ]);
  });

  test('prints its default in a form that it reads', () => {
    for (const parameter of Object.values(parameters)) {
      const {
        type,
        default: value,
      }: { type: { parse(t: string): unknown; format(v: never): string }; default: unknown } = parameter;
      if (value === '') continue;
      expect(type.parse(type.format(value as never))).toEqual(value);
    }
  });
});

describe('the values of parameters', () => {
  test.each([
    ['HealthEnabled', 'YES', { healthEnabled: true }],
    ['HealthEnabled', 'f', { healthEnabled: false }],
    ['HealthPort', '0x10', { healthPort: 16 }],
    ['HealthPort', '010', { healthPort: 8 }],
    ['LogSeverityScreen', 'warning', { logLevel: 'warn' }],
    ['LogSeverityScreen', 'none', { logLevel: 'silent' }],
    ['InterfacePrefix', 'cali, tap', { interfacePrefixes: ['cali', 'tap'] }],
    ['DefaultEndpointToHostAction', 'Return', { endpointToHostAction: 'return' }],
    ['EndpointReportingDelaySecs', '0.25', { endpointReportingDelay: 0.25 }],
  ])('%s=%s means %o', (name, text, expected) => {
    const { values, problems } = resolved({ file: { [name]: text } });
    expect(problems).toEqual([]);
    expect(values).toMatchObject(expected);
  });

  test.each([
    ['HealthEnabled', 'maybe'],
    ['HealthPort', '0'],
    ['HealthPort', '65536'],
    ['HealthPort', '1e3'],
    ['NftablesRefreshInterval', '-1'],
    ['InterfacePrefix', 'cali,'],
    ['InterfacePrefix', 'averylongprefix'],
    ['DefaultEndpointToHostAction', 'open'],
    ['EndpointReportingDelaySecs', '.5'],
    ['DeviceRouteProtocol', '12'],
    ['DeviceRouteProtocol', '0xba'],
    ['VXLANVNI', '16777216'],
  ])('%s=%s is refused', (name, text) => {
    expect(resolved({ file: { [name]: text } }).problems).toHaveLength(1);
  });

  test.each([
    ['22', 'tcp:22'],
    ['udp:68, tcp:179', 'udp:68, tcp:179'],
    ['tcp:10.0.0.7:22', 'tcp:10.0.0.7/32:22'],
    ['TCP:10.1.2.3/16:22', 'tcp:10.1.0.0/16:22'],
    ['udp:[fd00::/64]:53', 'udp:[fd00::/64]:53'],
    ['udp:[fd00::1]:53', 'udp:[fd00::1/128]:53'],
  ])('failsafe ports %s are %s', (text, expected) => {
    expect(
      policyParameters.failsafeInbound.type.format(policyParameters.failsafeInbound.type.parse(text) ?? []),
    ).toBe(expected);
  });

  test.each(['0', '65536', 'sctp:1', '10.0.0.0/8:22', 'tcp:fd00::1:22', 'tcp:[10.0.0.1]:22', '22,', 'tcp:'])(
    'failsafe ports %s are refused',
    text => {
      expect(policyParameters.failsafeInbound.type.parse(text)).toBeUndefined();
    },
  );
});

describe('a configuration file', () => {
  test('is read line by line, and each line that says nothing is named', () => {
    const text =
      '[global]\n# remark\n; remark\nHealthPort = 1\r\nInterfacePrefix=cali,tap\nhealthport: 2\nwhat?\n';
    expect(parseConfigFile(text)).toEqual({
      values: [
        ['HealthPort', '1'],
        ['InterfacePrefix', 'cali,tap'],
        ['healthport', '2'],
      ],
      problems: [
        'line 6: healthport stands there twice, the last one counts',
        'line 7 is not of the form Name = value',
      ],
    });
  });
});
