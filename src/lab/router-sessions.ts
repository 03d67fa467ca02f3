import { runProgram } from '../base/index.js';
import type { LabPaths } from './paths.js';
import type { LabPlan, LabRouter } from './plan.js';
import { routerShell } from './routers.js';

/** Established sessions of the router, and of how many it knows; undefined when its daemon does not answer. */
export async function routerSessions(
  paths: LabPaths,
  plan: LabPlan,
  router: LabRouter,
): Promise<{ readonly established: number; readonly known: number } | undefined> {
  const { bgp } = router;
  if (bgp === undefined) return undefined;
  const [program, ...args] = routerShell(paths, plan, router);
  const question = bgp.daemon === 'bird' ? ['show', 'protocols'] : ['show bgp summary'];
  const { exitCode, stdout } = await runProgram(program, [...args, ...question]);
  if (exitCode !== 0) return undefined;
  // Sessions with hosts: in BIRD they have the name that the configuration gives them, in FRR a star before them.
  const rows = stdout.split('\n').filter(line => (bgp.daemon === 'bird' ? /^host[46]_/ : /^\*/).test(line));
  const up = bgp.daemon === 'bird' ? / Established\s*$/ : /\s(?:[0-9]+[dhms:])+[0-9]*\s+[0-9]+\s/;
  return { established: rows.filter(row => up.test(row)).length, known: rows.length };
}
