import { existsSync } from 'node:fs';
import { CalicoError } from '../base/index.js';
import { DAEMON_PATH } from './daemon.js';
import type { LabPlan } from './plan.js';

/** A program that a lab runs, and the Debian package that has it. */
interface Need {
  readonly program: string;
  readonly package: string;
}

function needsOf({ datastore, routers }: LabPlan): readonly Need[] {
  return [
    { program: 'ip', package: 'iproute2' },
    { program: 'nsenter', package: 'util-linux' },
    { program: 'sysctl', package: 'procps' },
    { program: 'nft', package: 'nftables' },
    { program: 'bird', package: 'bird2' },
    ...(datastore === 'etcd' ? [{ program: 'etcd', package: 'etcd-server' }] : []),
    ...(routers.some(({ bgp }) => bgp?.daemon === 'frr')
      ? [{ program: '/usr/lib/frr/bgpd', package: 'frr' }]
      : []),
  ];
}

function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program);
  return DAEMON_PATH.split(':').some(folder => existsSync(`${folder}/${program}`));
}

/** `unavailable`, with every package that is missing, before anything is made. */
export function requirePackages(plan: LabPlan, has = isInstalled): void {
  const missing = needsOf(plan).filter(({ program }) => !has(program));
  if (missing.length === 0) return;
  const programs = missing.map(({ program }) => program).join(', ');
  const names = missing.map(need => need.package).join(' ');
  throw new CalicoError('unavailable', `this lab needs ${programs}: apt-get install ${names}`);
}
