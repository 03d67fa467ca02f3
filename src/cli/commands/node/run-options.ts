import { CalicoError } from '../../../base/index.js';
import { formatIp, parseAsNumber, parseIp } from '../../../net/index.js';
import type { IpVersion } from '../../../net/index.js';

/** The options of `node run` as they were typed; undefined where absent or blank. */
export interface TypedRunOptions {
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly as: string | undefined;
  readonly name: string | undefined;
  readonly logDir: string | undefined;
  readonly nodeImage: string;
  readonly backend: string | undefined;
  readonly noDefaultIpPools: boolean;
  readonly disableDockerNetworking: boolean;
  readonly dockerNetworkingPrefix: string | undefined;
}

/** What a node is to be started with. */
export interface RunOptions {
  readonly name: string;
  readonly backend: 'bird' | 'gobgp' | 'none';
  readonly noDefaultPools: boolean;
  readonly logDir: string;
  readonly image: string;
  /** `autodetect` or canonical */
  readonly ip: string | undefined;
  readonly ip6: string | undefined;
  readonly asNumber: number | undefined;
  /** undefined: no Docker networking */
  readonly dockerPrefix: string | undefined;
}

function fail(message: string): never {
  throw new CalicoError('invalid', message);
}

function address(text: string | undefined, option: string, version: IpVersion): string | undefined {
  if (text === undefined) return undefined;
  if (version === 4 && text === 'autodetect') return text;
  const ip = parseIp(text) ?? fail(`invalid IP address specified: ${text}`);
  return ip.version === version ? formatIp(ip) : fail(`${option} is wrong IP version`);
}

function backendOf(text: string): RunOptions['backend'] {
  return text === 'bird' || text === 'gobgp' || text === 'none' ? text : fail(`unknown backend '${text}'`);
}

const NODE_NAME = /^[a-zA-Z0-9_.-]{1,128}$/;

/** Checks the options in the order of `calicoctl.md` 9; throws `invalid` for the first that is wrong. */
export function readRunOptions(typed: TypedRunOptions, hostname: string): RunOptions {
  const ip = address(typed.ip, '--ip', 4);
  const ip6 = address(typed.ip6, '--ip6', 6);
  const { as } = typed;
  const asNumber =
    as === undefined ? undefined : (parseAsNumber(as) ?? fail(`invalid AS Number specified: ${as}`));
  const backend = backendOf(typed.backend ?? 'bird');
  const name = typed.name ?? hostname;
  if (!NODE_NAME.test(name)) fail('unable to determine node name');
  const prefix = typed.dockerNetworkingPrefix ?? 'cali';
  if (!/^[a-zA-Z0-9]+$/.test(prefix)) fail(`invalid interface prefix '${prefix}'`);
  return {
    name,
    backend,
    noDefaultPools: typed.noDefaultIpPools,
    logDir: typed.logDir ?? '/var/log/calico',
    image: typed.nodeImage,
    ip,
    ip6,
    asNumber,
    dockerPrefix: typed.disableDockerNetworking ? undefined : prefix,
  };
}

type Variables = readonly (readonly [name: string, value: string])[];

/** The environment that a node is given, but for where its datastore is (`calicoctl.md` 9.1, in that order). */
export function nodeVariables(options: RunOptions): Variables {
  const { name, backend, noDefaultPools, ip, ip6, asNumber, dockerPrefix } = options;
  const given: readonly (readonly [string, string | undefined])[] = [
    ['NODENAME', name],
    ['CALICO_NETWORKING_BACKEND', backend],
    ['NO_DEFAULT_POOLS', noDefaultPools ? 'true' : ''],
    ['CALICO_LIBNETWORK_ENABLED', String(dockerPrefix !== undefined)],
    ['CALICO_LIBNETWORK_IFPREFIX', dockerPrefix],
    ['AS', asNumber === undefined ? undefined : String(asNumber)],
    ['IP', ip],
    ['IP6', ip6],
  ];
  return given.flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
}
