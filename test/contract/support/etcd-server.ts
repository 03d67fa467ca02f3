import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface EtcdServerOptions {
  /** further arguments of etcd */
  readonly args?: readonly string[];
  /** serve clients by TLS, with these files; a client needs a certificate of the CA when it is named */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca?: string };
}

/** A real etcd of one member on free ports of this host, with its data in a directory of its own. */
export interface EtcdServer {
  readonly endpoint: string;
  /** An answer of the JSON form of etcd's API, for what the store itself never asks. */
  ask(
    path: string,
    body: Readonly<Record<string, unknown>>,
    token?: string,
  ): Promise<Record<string, unknown>>;
  /** Deletes all content, so that one server can do for many tests; its revisions go on. */
  empty(): Promise<void>;
  /** Sends a signal; after one that ends it, resolves when it has ended. */
  signal(signal: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Starts it again with the same ports, and its data unless it shall forget them. */
  restart(options?: { readonly empty: boolean }): Promise<void>;
  dispose(): Promise<void>;
}

export async function startEtcd(options: EtcdServerOptions = {}): Promise<EtcdServer> {
  const [clientPort = 0, peerPort = 0] = await freePorts(2);
  const peers = `default=${urlOf(peerPort)}`;
  return await startMember({ ...options, name: 'default', clientPort, peerPort, peers });
}

/** A cluster of three on this host, which works as long as two of them do. */
export async function startEtcdCluster(): Promise<readonly EtcdServer[]> {
  const ports = await freePorts(6);
  const members = [0, 1, 2].map(index => ({
    name: `m${String(index)}`,
    clientPort: ports[index] ?? 0,
    peerPort: ports[index + 3] ?? 0,
    args: ['--heartbeat-interval=20', '--election-timeout=200'],
  }));
  const peers = members.map(({ name, peerPort }) => `${name}=${urlOf(peerPort)}`).join(',');
  return await Promise.all(members.map(async member => await startMember({ ...member, peers })));
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${String(port)}`;
}

interface Member extends EtcdServerOptions {
  readonly name: string;
  readonly clientPort: number;
  readonly peerPort: number;
  /** `name=URL` of all members */
  readonly peers: string;
}

async function startMember({
  name,
  clientPort,
  peerPort,
  peers,
  args = [],
  tls,
}: Member): Promise<EtcdServer> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-etcd-'));
  const data = join(directory, 'data');
  const endpoint = tls === undefined ? urlOf(clientPort) : urlOf(clientPort).replace('http:', 'https:');
  const peer = urlOf(peerPort);
  const commandLine = [
    `--name=${name}`,
    `--data-dir=${data}`,
    `--initial-cluster=${peers}`,
    `--listen-client-urls=${endpoint}`,
    `--advertise-client-urls=${endpoint}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    ...(tls === undefined ? [] : [`--cert-file=${tls.cert}`, `--key-file=${tls.key}`]),
    ...(tls?.ca === undefined ? [] : ['--client-cert-auth', `--trusted-ca-file=${tls.ca}`]),
    ...args,
  ];
  let child = await run(commandLine);
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  const server: EtcdServer = {
    endpoint,
    empty: async () => {
      await server.ask('kv/deleterange', { key: 'AA==', range_end: 'AA==' });
    },
    ask: async (path, body, token) => {
      const response = await fetch(`${endpoint}/v3/${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: token === undefined ? {} : { authorization: token },
      });
      const answer = (await response.json()) as Record<string, unknown>; // an object, also for an error
      if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`);
      return answer;
    },
    signal: async signal => {
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await once(child, 'exit');
    },
    restart: async ({ empty } = { empty: false }) => {
      await end();
      if (empty) await rm(data, { recursive: true });
      child = await run(commandLine);
    },
    dispose: async () => {
      await end();
      await rm(directory, { recursive: true });
    },
  };
  return server;
}

/** Starts etcd, and waits until it says that it serves clients. */
async function run(args: readonly string[]): Promise<ChildProcess> {
  // By setpriv it ends with us, however we end.
  const child = spawn('setpriv', ['--pdeathsig=KILL', 'etcd', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], ETCD_UNSUPPORTED_ARCH: process.arch },
  });
  let log = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  child.stderr.on('data', (chunk: Buffer) => {
    if (log.length < 100_000) log += chunk.toString();
    if (/serving (insecure )?client (requests|traffic)|ready to serve client requests/.test(log)) resolve();
  });
  const failed = once(child, 'exit').then(() => {
    throw new Error(`etcd ended:\n${log}`);
  });
  const late = delay(60_000, undefined, { ref: false }).then(() => {
    throw new Error(`etcd does not serve:\n${log}`);
  });
  failed.catch(() => undefined);
  late.catch(() => undefined);
  await Promise.race([promise, failed, late]);
  return child;
}

/**
 * Ports that nobody uses now. None of those that the kernel gives to who connects: it would give them away while a
 * server is down between two runs, even to who tries to reach that server.
 */
async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) found.add(port);
  }
  return [...found];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
