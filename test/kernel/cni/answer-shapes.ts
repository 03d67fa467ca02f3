/**
 * What the CNI specification says about the answers of a plugin, version by version, as data. Members that it
 * does not name are refused, so that a slip of the pen in one that it does is found.
 */
export type Shape =
  | { readonly kind: 'text'; readonly pattern: RegExp }
  | { readonly kind: 'number'; readonly least: number; readonly most: number }
  | { readonly kind: 'list'; readonly of: Shape }
  | {
      readonly kind: 'object';
      readonly required: Readonly<Record<string, Shape>>;
      readonly optional: Readonly<Record<string, Shape>>;
    };

/** Where a value is not of a shape, and what was expected; empty when it is. */
export function misfits(shape: Shape, value: unknown, path = 'answer'): readonly string[] {
  switch (shape.kind) {
    case 'text':
      return typeof value === 'string' && shape.pattern.test(value)
        ? []
        : [`${path}: ${JSON.stringify(value)} is not ${String(shape.pattern)}`];
    case 'number': {
      const fits = Number.isInteger(value) && Number(value) >= shape.least && Number(value) <= shape.most;
      return fits
        ? []
        : [
            `${path}: ${JSON.stringify(value)} is no number of ${String(shape.least)} to ${String(shape.most)}`,
          ];
    }
    case 'list':
      return Array.isArray(value)
        ? value.flatMap((each: unknown, i) => misfits(shape.of, each, `${path}[${String(i)}]`))
        : [`${path}: no list`];
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: no object`];
      const members = new Map<string, unknown>(Object.entries(value));
      const missing = Object.keys(shape.required).filter(name => !members.has(name));
      const known: Readonly<Record<string, Shape>> = { ...shape.optional, ...shape.required };
      return [
        ...missing.map(name => `${path}.${name}: missing`),
        ...[...members].flatMap(([name, member]) => {
          const expected = known[name];
          return expected === undefined
            ? [`${path}.${name}: not in the specification`]
            : misfits(expected, member, `${path}.${name}`);
        }),
      ];
    }
  }
}

const text = (pattern: RegExp): Shape => ({ kind: 'text', pattern });
const list = (of: Shape): Shape => ({ kind: 'list', of });
const object = (
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
): Shape => ({ kind: 'object', required, optional });

const any = text(/./s);
const count: Shape = { kind: 'number', least: 0, most: 2 ** 31 };
const cidr4 = text(/^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/);
const cidr6 = text(/^[0-9a-f]*:[0-9a-f:.]*\/\d{1,3}$/);
const address = text(/^[0-9a-f:.]+$/);
const dns = object({}, { nameservers: list(address), domain: any, search: list(any), options: list(any) });
const route = object({ dst: any }, { gw: address });
const version = (number: string): Shape => text(new RegExp(`^${number.replaceAll('.', String.raw`\.`)}$`));

function withOneEach(number: string, members: Readonly<Record<string, Shape>>): Shape {
  const part = (cidr: Shape): Shape => object({ ip: cidr }, { gateway: address, routes: list(route) });
  return object(members, { cniVersion: version(number), ip4: part(cidr4), ip6: part(cidr6), dns });
}

function withLists(number: string): Shape {
  const isNewest = number === '1.1.0';
  const mac = text(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  const interfaces = object(
    { name: text(/^[^/:\s]{1,15}$/) },
    { mac, sandbox: any, ...(isNewest ? { mtu: count, socketPath: any, pciID: any } : {}) },
  );
  const ofVersion: Readonly<Record<string, Shape>> = number.startsWith('0.')
    ? { version: text(/^[46]$/) }
    : {};
  const ip = object(
    { address: text(/^[0-9a-f:.]+\/\d{1,3}$/), ...ofVersion },
    { interface: count, gateway: address },
  );
  const newestRoute = object(
    { dst: any },
    { gw: address, mtu: count, advmss: count, priority: count, table: count, scope: count },
  );
  return object(
    { cniVersion: version(number), ips: list(ip) },
    { interfaces: list(interfaces), routes: list(isNewest ? newestRoute : route), dns },
  );
}

/** The answer to ADD, by the version of the specification; without `interfaces` where it is of IPAM. */
export const successShapes: ReadonlyMap<string, Shape> = new Map([
  ['0.1.0', withOneEach('0.1.0', {})],
  ['0.2.0', withOneEach('0.2.0', { cniVersion: version('0.2.0') })],
  ...['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'].map(number => [number, withLists(number)] as const),
]);

/** An error: codes up to 99 are of the specification, those from 100 of the plugin. */
export function errorShape(number: string): Shape {
  const code: Shape = { kind: 'number', least: 1, most: 999 };
  return object({ cniVersion: version(number), code, msg: any }, { details: any });
}

export const versionsShape: Shape = object({
  cniVersion: text(/^\d+\.\d+\.\d+$/),
  supportedVersions: list(text(/^\d+\.\d+\.\d+$/)),
});
