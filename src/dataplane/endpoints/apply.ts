import type { HostNetwork } from '../../netlink/index.js';
import type { EndpointId } from '../../policy/index.js';
import type { Changed } from './repairs.js';
import type { Observed } from './observed.js';
import { addressOf, neighbourMark } from './plan.js';
import type { Done, PlumbingAction, Proxies } from './plan.js';
import { configureWorkloadInterface } from './settings.js';
import type { SettingOptions, SettingProblem } from './settings.js';

/** `Done` that grows with each step. */
export interface Progress extends Done {
  readonly configured: Map<string, number>;
  readonly proxies: Map<string, Proxies>;
  readonly holders: Map<string, EndpointId>;
  readonly neighbours: Map<string, string>;
}

export interface ApplyTarget {
  readonly network: HostNetwork;
  readonly protocol: number;
  readonly observed: Observed;
  readonly done: Progress;
  readonly settings: SettingOptions;
  readonly onSettingProblem: SettingProblem;
}

/** Takes one step in the kernel and notes it; throws what the kernel answered. Returns what it has changed. */
export function applyAction(target: ApplyTarget, action: PlumbingAction): Changed | undefined {
  const { network, protocol, observed, done } = target;
  switch (action.kind) {
    case 'configure-link': {
      const { name, index } = action.link;
      const options = { ...target.settings, onProblem: target.onSettingProblem };
      const count = configureWorkloadInterface(network, name, options);
      done.configured.set(name, index);
      return { kind: 'setting', count };
    }
    case 'set-proxies': {
      const { link, addresses, gone } = action;
      for (const address of gone) network.setProxyNeighbour(link.index, address, false);
      for (const address of addresses) network.setProxyNeighbour(link.index, address, true);
      done.proxies.set(link.name, { index: link.index, addresses });
      return undefined;
    }
    case 'delete-route': {
      const { destination, interfaceIndex, metric } = action.route;
      network.deleteRoute({
        destination,
        protocol,
        metric,
        ...(interfaceIndex === undefined ? {} : { interfaceIndex }),
      });
      observed.routeDeleted(action.route);
      return { kind: 'route', count: 1 };
    }
    case 'set-route': {
      const { destination, link } = action;
      network.replaceRoute({ destination, interfaceIndex: link.index, protocol, scope: 'link' });
      observed.routeSet(destination, link.index);
      return { kind: 'route', count: 1 };
    }
    case 'set-neighbour': {
      const { destination, link, mac } = action;
      network.replaceNeighbour(link.index, addressOf(destination), mac);
      done.neighbours.set(destination, neighbourMark(link, mac));
      return undefined;
    }
  }
}
