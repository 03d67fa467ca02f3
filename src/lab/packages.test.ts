import { expect, test } from 'vitest';
import { requirePackages } from './packages.js';
import { planLab } from './plan.js';
import { plainTopology } from './topology.js';

test('a lab without what it needs names the programs and the command that brings them', () => {
  const bgp = { daemon: 'frr', asNumber: '65001', routeReflector: false, announces: [] } as const;
  const routers = [{ name: 'edge', networks: ['lan'], bgp }];
  const plan = planLab('lab', { ...plainTopology(1, 1), datastore: 'etcd', routers });
  const has = (program: string): boolean => ['ip', 'nsenter', 'sysctl', 'nft'].includes(program);
  expect(() => requirePackages(plan, has)).toThrow(
    'this lab needs bird, etcd, /usr/lib/frr/bgpd: apt-get install bird2 etcd-server frr',
  );
  expect(() => requirePackages(planLab('lab', plainTopology(1, 1)), () => true)).not.toThrow();
});
