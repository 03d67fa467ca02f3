import { parseObject } from './json.js';
import type { KindCodec } from './kind-codec.js';
import { layout } from './layout.js';
import { versionOf } from './version.js';

const key = layout('/calico/v1/ipam/:version/pool/:cidr');

export const ipPoolCodec: KindCodec<'ipPool'> = {
  layouts: [key],
  metadata: ({ cidr = '' }) => ({ cidr: cidr.replace(/-(?=\d+$)/, '/') }),
  keys: ({ cidr }) => [key.key(partsOf(cidr))],
  prefixes: ({ cidr = '' }) => [key.prefix(cidr === '' ? {} : partsOf(cidr))],
  encode: ({ metadata, spec }) => [
    JSON.stringify({
      cidr: metadata.cidr,
      ipip: spec.ipip?.enabled === true ? 'tunl0' : '',
      // Later releases know it; without a mode the value is byte for byte that of v2.0.
      ...(spec.ipip?.enabled === true && spec.ipip.mode !== undefined ? { ipip_mode: spec.ipip.mode } : {}),
      masquerade: spec['nat-outgoing'] === true,
      ipam: spec.disabled !== true,
      disabled: spec.disabled === true,
      ...(spec.vxlan?.enabled === true ? { vxlan: 'vxlan.calico' } : {}),
      ...(spec.vxlan?.enabled === true && spec.vxlan.mode !== undefined
        ? { vxlan_mode: spec.vxlan.mode }
        : {}),
      ...(spec.blockSize === undefined ? {} : { blockSize: spec.blockSize }),
    }),
  ],
  decode: (metadata, [text]) => {
    const stored = parseObject(text);
    return {
      metadata,
      spec: {
        ipip: encapsulationOf(stored['ipip'], stored['ipip_mode']),
        'nat-outgoing': stored['masquerade'],
        disabled: stored['disabled'],
        vxlan: encapsulationOf(stored['vxlan'], stored['vxlan_mode']),
        blockSize: stored['blockSize'],
      },
    };
  },
};

/** Switched on by the name of a device; '' is how other writers say that there is no device, or no mode. */
function encapsulationOf(device: unknown, mode: unknown): unknown {
  if ((device ?? '') === '') return undefined;
  return { enabled: true, mode: mode === '' ? undefined : mode };
}

function partsOf(cidr: string): { readonly version: string; readonly cidr: string } {
  return { version: `v${String(versionOf(cidr))}`, cidr: cidr.replace('/', '-') };
}
