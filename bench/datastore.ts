import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { dump } from 'js-yaml';
import { systemClock } from '../src/base/index.js';
import { createResourceClient, openStore } from '../src/datastore/index.js';
import type { Store, StoreConfig } from '../src/datastore/index.js';
import { parseDocument } from '../src/resources/index.js';
import { startEtcd } from '../test/contract/support/etcd-server.js';

/**
 * The stores side by side: commits, a change on its way to another process, and 10,000 mixed resources by the
 * client and by calicoctl. Wants the built programs (`npm run build`) and an installed etcd.
 */
const COMMITS = 1000;
const CHANGES = 1000;
const RESOURCES = 10_000;
/** Resources in one transaction of etcd, as `calicoctl apply --no-atomic` does it. */
const PART = 40;

/** One of the stores, and what issue 4 asks of it. */
interface Subject {
  readonly name: string;
  readonly config: StoreConfig;
  /** how calicoctl is told of it */
  readonly env: Readonly<Record<string, string>>;
  /** resources in one transaction */
  readonly part: number;
  readonly applyOptions: readonly string[];
  readonly watchTarget: string;
  readonly applyTarget: string;
}

function quantile(times: readonly number[], q: number): string {
  const sorted = times.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0).toFixed(2);
}

function report({ name }: Subject, what: string, figure: string, target = ''): void {
  console.log(`| ${name} | ${what} | ${figure} | ${target} |`);
}

async function measureCommits(subject: Subject, store: Store): Promise<void> {
  const times: number[] = [];
  const value = 'x'.repeat(300);
  for (let number = 0; number < COMMITS; number++) {
    const key = `bench/${String(number % 100)}`;
    const modRevision = (await store.get(key))?.modRevision ?? 0;
    const start = performance.now();
    await store.commit({ conditions: [{ key, modRevision }], writes: [{ kind: 'put', key, value }] });
    times.push(performance.now() - start);
  }
  const figure = `${quantile(times, 0.5)} / ${quantile(times, 0.99)} ms`;
  report(subject, 'a commit of one key under a condition, p50 / p99', figure);
}

/** From before the commit in another process to its event here; both read the same clock of the host. */
async function measureWatch(subject: Subject, store: Store): Promise<void> {
  const times: number[] = [];
  const abort = new AbortController();
  let child: ReturnType<typeof spawn> | undefined;
  for await (const event of store.watch('bench/now', { signal: abort.signal })) {
    const now = systemClock.monotonic();
    child ??= spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(subject.config)], {
      stdio: 'inherit',
    });
    if (event.kind === 'listing') continue;
    for (const change of event.changes) {
      if (change.kind === 'put') times.push(now - Number(change.entry.value));
    }
    if (times.length >= CHANGES) abort.abort();
  }
  if (child !== undefined && child.exitCode === null) await once(child, 'exit');
  const figure = `${quantile(times, 0.5)} / ${quantile(times, 0.99)} ms`;
  const what = 'from before a commit to the event of it in another process, p50 / p99';
  report(subject, what, figure, subject.watchTarget);
}

/** The other process. */
async function commitTimes(config: StoreConfig): Promise<void> {
  const store = await openStore(config);
  for (let number = 0; number < CHANGES; number++) {
    const value = String(systemClock.monotonic());
    await store.commit({ writes: [{ kind: 'put', key: 'bench/now', value }] });
    await delay(3);
  }
  await store.close();
}

function mixed(index: number): unknown {
  const n = String(index);
  const [high, low] = [String(index >> 8), String(index & 255)];
  const of = (kind: string, metadata: object, spec: object): unknown => ({
    apiVersion: 'v1',
    kind,
    metadata,
    spec,
  });
  switch (index % 10) {
    case 0:
      return of(
        'profile',
        { name: `profile-${n}`, labels: { team: `t${low}` } },
        { ingress: [{ action: 'allow' }] },
      );
    case 1:
      return of('hostEndpoint', { node: `node-${low}`, name: `eth${n}` }, { interfaceName: `eth${n}` });
    case 2:
      return of('ipPool', { cidr: `10.${high}.${low}.0/24` }, {});
    case 3:
    case 4:
    case 5: {
      const source = { selector: `role == 'r${n}'` };
      const ingress = [{ action: 'allow', protocol: 'tcp', source, destination: { ports: [80, 443] } }];
      return of('policy', { name: `policy-${n}` }, { order: index, selector: `app == 'a${n}'`, ingress });
    }
    default: {
      const metadata = { node: `node-${low}`, orchestrator: 'k8s', workload: `w${n}`, name: 'eth0' };
      const spec = { interfaceName: `cali${n}`, ipNetworks: [`10.${high}.${low}.1/32`], profiles: ['p'] };
      return of('workloadEndpoint', { ...metadata, labels: { app: `a${n}` } }, spec);
    }
  }
}

async function measureClient(subject: Subject, store: Store, documents: readonly unknown[]): Promise<void> {
  const parsed = parseDocument(documents);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems.slice(0, 3)));
  const client = createResourceClient(store);
  const writes = parsed.resources.map(resource => ({ verb: 'apply' as const, resource }));
  const start = performance.now();
  for (let first = 0; first < writes.length; first += subject.part) {
    await client.write(writes.slice(first, first + subject.part));
  }
  const written = performance.now();
  const found = await client.list('workloadEndpoint');
  const listed = performance.now();
  const how = subject.part < writes.length ? `in parts of ${String(subject.part)}` : 'at once';
  report(
    subject,
    `${String(writes.length)} resources by the client, ${how}`,
    `${(written - start).toFixed(0)} ms`,
  );
  report(subject, `a list of ${String(found.length)} endpoints`, `${(listed - written).toFixed(0)} ms`);
  const { entries } = await store.list('/calico/');
  for (let first = 0; first < entries.length; first += 100) {
    const keys = entries.slice(first, first + 100).map(({ key }) => key);
    await store.commit({ writes: keys.map(key => ({ kind: 'delete', key })) });
  }
}

/** calicoctl in a process of its own: wall time, and the most memory that it had at any look. */
async function runCalicoctl(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly ms: number; readonly megabytes: number }> {
  const program = `${process.env['CALICO_ROOT'] ?? ''}dist/calicoctl.js`;
  const start = performance.now();
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  let kilobytes = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      kilobytes = Math.max(kilobytes, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, 10);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(look);
  if (code !== 0) throw new Error(`calicoctl ${args.join(' ')} ended with ${String(code)}`);
  return { ms: performance.now() - start, megabytes: kilobytes / 1024 };
}

async function measureCalicoctl(subject: Subject, file: string): Promise<void> {
  const commands: readonly (readonly [readonly string[], string])[] = [
    [['apply', ...subject.applyOptions, '-f', file], subject.applyTarget],
    [['get', 'workloadEndpoint', '-o', 'yaml'], ''],
    [['get', 'policy', 'policy-3'], ''],
  ];
  for (const [args, target] of commands) {
    const { ms, megabytes } = await runCalicoctl(args, subject.env);
    const command = ['calicoctl', ...args].join(' ').replace(file, 'FILE');
    report(subject, `\`${command}\``, `${ms.toFixed(0)} ms, ${megabytes.toFixed(0)} MB`, target);
  }
}

async function measure(subject: Subject, file: string): Promise<void> {
  const store = await openStore(subject.config);
  await measureCommits(subject, store);
  await measureWatch(subject, store);
  await measureClient(subject, store, documents);
  await store.close();
  await measureCalicoctl(subject, file);
}

const documents = Array.from({ length: RESOURCES }, (_, index) => mixed(index));

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'calico-bench-'));
  const file = join(directory, 'resources.yaml');
  writeFileSync(file, documents.map(document => dump(document)).join('---\n'));
  const server = await startEtcd();
  const shared = { PATH: process.env['PATH'] ?? '', CALICO_STATE_DIR: directory };
  try {
    console.log('| store | what | measured | target |\n|---|---|---|---|');
    await measure(
      {
        name: 'sqlite',
        config: { type: 'sqlite', directory: join(directory, 'store') },
        env: shared,
        part: RESOURCES,
        applyOptions: [],
        watchTarget: 'p50 2 ms',
        applyTarget: '2 s, 300 MB',
      },
      file,
    );
    await measure(
      {
        name: 'etcd',
        config: { type: 'etcdv3', endpoints: [server.endpoint] },
        env: { ...shared, ETCD_ENDPOINTS: server.endpoint },
        part: PART,
        applyOptions: ['--no-atomic'],
        watchTarget: 'p50 5 ms',
        applyTarget: '5 s, 300 MB',
      },
      file,
    );
  } finally {
    await server.dispose();
    rmSync(directory, { recursive: true });
  }
}

const [, , given] = process.argv;
if (given === undefined) await main();
else await commitTimes(JSON.parse(given) as StoreConfig); // written by measureWatch
