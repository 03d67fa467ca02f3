// npm run test:soak [-- WORLDS]: evaluator and kernel on many random worlds (default 1,000 with 1,000 packets each).
// Runs as root, in namespaces of its own. A run can be repeated: AGREEMENT_SEED=<printed seed> npm run test:soak.
// A packet on which the two differ is shown with the smallest world that shows it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const worlds = Number(process.argv[2] ?? 1_000);
const packets = Number(process.env['AGREEMENT_PACKETS'] ?? 1_000);
const seed = Number(process.env['AGREEMENT_SEED'] ?? Math.trunc(Math.random() * 1e6));
// A router tells packets apart by 16 bits, and sees each world's packets twice.
const worldsPerRun = Math.max(1, Math.floor(28_000 / packets));

for (let done = 0, run = 0; done < worlds; done += worldsPerRun, run += 1) {
  const count = Math.min(worldsPerRun, worlds - done);
  const env = {
    ...process.env,
    AGREEMENT_WORLDS: String(count),
    AGREEMENT_PACKETS: String(packets),
    AGREEMENT_SEED: String(seed + run),
  };
  const { status, stdout, stderr } = spawnSync(
    join(root, 'node_modules/.bin/vitest'),
    ['run', '--project', 'kernel', 'test/kernel/agreement.test.ts'],
    { cwd: root, env, encoding: 'utf8' },
  );
  if (status !== 0) {
    console.error(
      `${stdout}${stderr}\nAGREEMENT_SEED=${seed + run} AGREEMENT_WORLDS=${count} AGREEMENT_PACKETS=${packets}`,
    );
    process.exit(1);
  }
  console.log(`${done + count} worlds, ${(done + count) * packets} packets agree (seed ${seed}, run ${run})`);
}
