// calicoctl with 10,000 mixed resources in the embedded store: time from start to end, and peak memory. Median of
// three. Every process is the built program.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = process.env['CALICO_ROOT'] ?? '.';
const directory = mkdtempSync(join(tmpdir(), 'calico-bench-'));
const env = { ...process.env, CALICO_STATE_DIR: join(directory, 'state') };
const hook = `data:text/javascript,process.on('exit',()=>process._rawDebug(process.resourceUsage().maxRSS))`;

interface Run {
  readonly ms: number;
  readonly megabytes: number;
}

function calicoctl(...args: readonly string[]): Run {
  const start = process.hrtime.bigint();
  const program = [join(root, 'dist/calicoctl.js'), ...args];
  const ran = spawnSync(process.execPath, ['--import', hook, ...program], { env, maxBuffer: 1 << 28 });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (ran.status !== 0 && ran.status !== 1) throw new Error(`${args.join(' ')}: ${ran.stderr.toString()}`);
  return { ms, megabytes: Number(ran.stderr.toString().trim()) / 1024 };
}

const rule = `{action: allow, protocol: tcp, source: {selector: "role == 'web'"}, destination: {ports: [80, 443]}}`;
const makers = [
  (i: number) =>
    `kind: policy\nmetadata: {name: p${String(i)}}\nspec: {order: ${String(i)}, selector: "app == 'a${String(i % 50)}'", ingress: [${rule}], egress: [{action: allow}]}\n`,
  (i: number) =>
    `kind: workloadEndpoint\nmetadata: {node: n${String(i % 100)}, orchestrator: k8s, workload: default.pod-${String(i)}, name: eth0, labels: {role: web}}\nspec: {interfaceName: cali${String(i)}, ipNetworks: [10.1.${String((i >> 8) & 255)}.${String(i & 255)}/32], profiles: [p]}\n`,
  (i: number) =>
    `kind: profile\nmetadata: {name: f${String(i)}, labels: {a: b}, tags: [t]}\nspec: {ingress: [{action: allow, source: {tag: t}}]}\n`,
  (i: number) =>
    `kind: hostEndpoint\nmetadata: {node: n${String(i)}, name: eth0}\nspec: {interfaceName: eth0, expectedIPs: [10.2.${String((i >> 8) & 255)}.${String(i & 255)}]}\n`,
];

/** `count` resources, of the first `kinds` of the makers in turn. */
function file(name: string, count: number, kinds: number): string {
  const documents = Array.from(
    { length: count },
    (_, i) => `apiVersion: v1\n${makers[i % kinds]?.(i) ?? ''}`,
  );
  const path = join(directory, name);
  writeFileSync(path, documents.join('---\n'));
  return path;
}

function measure(name: string, limitMs: number | undefined, run: () => Run): void {
  const runs = [run(), run(), run()].sort((a, b) => a.ms - b.ms);
  const ms = runs[1]?.ms ?? NaN;
  const peak = Math.max(...runs.map(({ megabytes }) => megabytes));
  const limit =
    limitMs === undefined
      ? ''
      : ` (limit ${String(limitMs)} ms, 300 MB${ms > limitMs || peak > 300 ? ', MISSED' : ''})`;
  console.log(`${name.padEnd(44)}${ms.toFixed(0).padStart(6)} ms ${peak.toFixed(0).padStart(4)} MB${limit}`);
}

try {
  const mixed = file('mixed.yaml', 10_000, 4);
  const policies = file('policies.yaml', 10_000, 1);
  measure('apply -f, 10,000 mixed, into an empty store', 2_000, () => {
    rmSync(env.CALICO_STATE_DIR, { recursive: true, force: true });
    return calicoctl('apply', '-f', mixed);
  });
  measure('apply -f, the same again', 2_000, () => calicoctl('apply', '-f', mixed));
  measure('validate -f, 10,000 mixed', undefined, () => calicoctl('validate', '-f', mixed));
  measure('diff -f, 10,000 mixed', undefined, () => calicoctl('diff', '-f', mixed));
  calicoctl('apply', '-f', policies);
  measure('get policy -o yaml, 10,000', 1_000, () => calicoctl('get', 'policy', '-o', 'yaml'));
  measure('get policy, 10,000', undefined, () => calicoctl('get', 'policy'));
} finally {
  rmSync(directory, { recursive: true, force: true });
}
