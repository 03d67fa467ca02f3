import { readFile, rename, writeFile } from 'node:fs/promises';
import { runChecked } from '../base/index.js';
import type { LabContext } from './context.js';
import { startRelay, stopRelay } from './relay.js';
import { ipBatch, netnsPath } from './namespaces.js';
import { labDirectory } from './paths.js';
import type { LabPaths } from './paths.js';
import type { NamedLink } from './place.js';
import type { LabPlan } from './plan.js';

/** What is wrong with a link, in both directions. */
export interface LinkFault {
  /** the cable is out */
  readonly cut: boolean;
  /** of all packets, 0 to 100 */
  readonly lossPercent: number;
  /** added to each packet on its way */
  readonly delayMs: number;
}

export const NO_FAULT: LinkFault = { cut: false, lossPercent: 0, delayMs: 0 };

/** Faults by port; a port without one is not in it. */
export type LinkFaults = Readonly<Record<string, LinkFault>>;

function faultsPath(paths: LabPaths, plan: LabPlan): string {
  return `${labDirectory(paths, plan.name)}/faults.json`;
}

/** The faults that the links of a lab have. */
export async function readFaults(paths: LabPaths, plan: LabPlan): Promise<LinkFaults> {
  try {
    // Written by setFault below, in a directory that only root can write.
    return JSON.parse(await readFile(faultsPath(paths, plan), 'utf8')) as LinkFaults;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
}

/** `up`, `cut`, `loses 10%, 50 ms late`. */
export function faultText(fault: LinkFault | undefined): string {
  const { cut, lossPercent, delayMs } = fault ?? NO_FAULT;
  if (cut) return 'cut';
  const parts = [
    ...(lossPercent > 0 ? [`loses ${String(lossPercent)}%`] : []),
    ...(delayMs > 0 ? [`${String(delayMs)} ms late`] : []),
  ];
  return parts.length === 0 ? 'up' : parts.join(', ');
}

const TABLE = 'netdev lab_faults';

/** Drops that share of the packets, at the port: what the machine sends comes in there, what it gets goes out. */
function lossRules(faults: LinkFaults): string {
  const lossy = Object.entries(faults).filter(([, { lossPercent }]) => lossPercent > 0);
  const chains = lossy.flatMap(([port, { lossPercent }]) =>
    ['ingress', 'egress'].flatMap(hook => [
      `  chain ${hook}_${port} {`,
      `    type filter hook ${hook} device "${port}" priority 0; policy accept;`,
      `    numgen random mod 10000 < ${String(Math.round(lossPercent * 100))} drop`,
      '  }',
    ]),
  );
  return [`table ${TABLE} {`, '}', `delete table ${TABLE}`, `table ${TABLE} {`, ...chains, '}', ''].join(
    '\n',
  );
}

/** Makes the link have exactly this fault, in the lab's own switch namespace. */
export async function setFault(
  context: LabContext,
  { plan, link }: { readonly plan: LabPlan; readonly link: NamedLink },
  fault: LinkFault,
): Promise<void> {
  const before = await readFaults(context.paths, plan);
  const { [link.port]: old = NO_FAULT, ...others } = before;
  const isNone = !fault.cut && fault.lossPercent === 0 && fault.delayMs === 0;
  const faults = isNone ? others : { ...others, [link.port]: fault };
  if (old.delayMs !== fault.delayMs) {
    await stopRelay(context, plan, link.port);
    if (fault.delayMs > 0) await startRelay(context, { plan, port: link.port, delayMs: fault.delayMs });
  }
  if (old.lossPercent !== fault.lossPercent) {
    const { netns } = plan.fabric;
    await runChecked('nsenter', [`--net=${netnsPath(netns)}`, 'nft', '-f', '-'], {
      input: lossRules(faults),
    });
  }
  await ipBatch(plan.fabric.netns, [`link set ${link.port} ${fault.cut ? 'down' : 'up'}`]);
  const path = faultsPath(context.paths, plan);
  await writeFile(`${path}.tmp`, `${JSON.stringify(faults)}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}
