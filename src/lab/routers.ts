import { chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { runChecked, runProgram } from '../base/index.js';
import type { LabContext } from './context.js';
import { startDaemon } from './daemon.js';
import { processIn } from './processes.js';
import { FRR_RUN, routerDirectory } from './paths.js';
import type { LabPaths } from './paths.js';
import type { LabPlan, LabRouter } from './plan.js';
import { birdRouterConfig, frrRouterConfig } from './router-config.js';
import { logTail, until } from './until.js';

/** How to talk with the BGP daemon of a router: a program, and its first arguments. */
export function routerShell(
  paths: LabPaths,
  plan: LabPlan,
  router: LabRouter,
): readonly [string, ...string[]] {
  return router.bgp?.daemon === 'frr'
    ? ['vtysh', '-N', router.netns, '-c']
    : ['birdc', '-s', `${routerDirectory(paths, plan, router)}/bird.ctl`];
}

function startBird(directory: string, router: LabRouter, config: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = `${directory}/bird.conf`;
  writeFileSync(file, config, { mode: 0o600 });
  const args = ['-f', '-c', file, '-s', `${directory}/bird.ctl`, '-P', `${directory}/bird.pid`];
  startDaemon({ netns: router.netns, program: 'bird', args, log: `${directory}/bird.log` });
}

const FRR = '/usr/lib/frr';

async function startFrr(directory: string, router: LabRouter, config: string): Promise<void> {
  // The daemons give up root at once: what they read and write is their user's.
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map(async which => Number(await runChecked('id', [which, 'frr']))),
  );
  const own = (path: string): void => chownSync(path, uid ?? 0, gid ?? 0);
  // The package makes the parent at boot; where that has not been, it is made as there.
  if (!existsSync(FRR_RUN)) {
    mkdirSync(FRR_RUN, { mode: 0o755 });
    own(FRR_RUN);
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  own(directory);
  for (const [program, text] of [
    ['zebra', '!\n'],
    ['bgpd', config],
  ] as const) {
    const file = `${directory}/${program}.conf`;
    writeFileSync(file, text, { mode: 0o600 });
    own(file);
    const args = ['-N', router.netns, '-f', file];
    startDaemon({
      netns: router.netns,
      program: `${FRR}/${program}`,
      args,
      log: `${directory}/${program}.log`,
    });
  }
}

/** Removes what routers have outside of the lab's own directory. */
export async function removeRouterFiles(paths: LabPaths, plan: LabPlan): Promise<void> {
  for (const router of plan.routers) {
    await rm(routerDirectory(paths, plan, router), { recursive: true, force: true });
  }
}

/** Starts the BGP daemon of a router, unless it runs, and waits until it answers. */
export async function startRouter(context: LabContext, plan: LabPlan, router: LabRouter): Promise<void> {
  const { bgp } = router;
  if (bgp === undefined || processIn(router.netns, bgp.daemon === 'bird' ? 'bird.conf' : 'bgpd.conf')) return;
  const directory = routerDirectory(context.paths, plan, router);
  if (bgp.daemon === 'bird') startBird(directory, router, birdRouterConfig(plan, router, bgp));
  else await startFrr(directory, router, frrRouterConfig(plan, router, bgp));
  const [program, ...args] = routerShell(context.paths, plan, router);
  const question = bgp.daemon === 'bird' ? ['show', 'status'] : ['show bgp summary'];
  await until(context, {
    what: `${bgp.daemon} of router ${router.name}`,
    limitMs: 10_000,
    attempt: async () => (await runProgram(program, [...args, ...question])).exitCode === 0,
    trouble: () => logTail(`${directory}/${bgp.daemon === 'bird' ? 'bird' : 'bgpd'}.log`),
  });
  context.say(
    `router ${router.name} runs ${bgp.daemon === 'bird' ? 'BIRD' : 'FRR'} in AS ${String(bgp.asNumber)}`,
  );
}
