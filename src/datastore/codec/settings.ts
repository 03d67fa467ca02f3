import type { SettingName } from '../resource-client.js';
import { escapePart, unescapePart } from './layout.js';

/** The key of a setting; a slash in its name opens a level, as in `custom_filters/v4/reject`. */
export function settingKey({ component, node, name }: SettingName): string {
  return prefixOf(component, node) + name.split('/').map(escapePart).join('/');
}

/** The setting that a key holds; the key must not be part of a resource. */
export function settingOf(key: string): SettingName | undefined {
  const segments = key.split('/').map(unescapePart);
  const [, , ...path] = segments; // '', 'calico'
  if (path[0] === 'bgp' && path[1] === 'v1') return bgpSetting(path.slice(2));
  if (path[0] !== 'v1') return undefined;
  if (path[1] === 'config') return named({ component: 'felix' }, path.slice(2));
  if (path[1] === 'host' && path[3] === 'config')
    return named({ component: 'felix', node: path[2] }, path.slice(4));
  return undefined;
}

function bgpSetting(path: readonly string[]): SettingName | undefined {
  if (path[0] === 'global') return named({ component: 'bgp' }, path.slice(1));
  if (path[0] === 'host') return named({ component: 'bgp', node: path[1] }, path.slice(2));
  return undefined;
}

function named(
  { component, node }: { readonly component: 'felix' | 'bgp'; readonly node?: string | undefined },
  path: readonly string[],
): SettingName | undefined {
  const name = path.join('/');
  if (name === '') return undefined;
  return node === undefined ? { component, name } : { component, node, name };
}

function prefixOf(component: 'felix' | 'bgp', node: string | undefined): string {
  if (component === 'felix') {
    return node === undefined ? '/calico/v1/config/' : `/calico/v1/host/${escapePart(node)}/config/`;
  }
  return node === undefined ? '/calico/bgp/v1/global/' : `/calico/bgp/v1/host/${escapePart(node)}/`;
}
