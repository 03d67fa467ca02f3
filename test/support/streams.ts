import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { netnsPath } from '../../src/lab/index.js';
import type { LabWorkload } from '../../src/lab/index.js';
import type { AgentLab } from './agent-lab.js';

/** Who sends all the time, to a workload that answers on TCP port 8080. */
export interface Streams {
  readonly lab: AgentLab;
  readonly to: LabWorkload;
  readonly address: string;
  readonly allowed: LabWorkload;
  /** default nobody */
  readonly denied?: LabWorkload;
}

/**
 * A new connection every 20 ms, and one that lasts, on which a byte goes there and back all the time; until the
 * standard input ends. Those that are then not yet answered get five seconds more where answers are expected.
 */
const PROGRAM = `
  const [address, expects] = process.argv.slice(1);
  const net = require('node:net');
  const told = { attempts: 0, answered: 0, echoes: 0, failure: undefined };
  const pending = new Set();
  let isEnding = false;
  const end = () => { console.log(JSON.stringify(told)); process.exit(); };
  const attempt = () => {
    const socket = net.connect({ host: address, port: 8080 });
    told.attempts += 1;
    pending.add(socket);
    const done = () => {
      pending.delete(socket);
      socket.destroy();
      if (isEnding && pending.size === 0) end();
    };
    socket.on('connect', () => { told.answered += 1; done(); });
    socket.on('error', error => { told.failure ??= error.message; done(); });
  };
  const timer = setInterval(attempt, 20);
  attempt();
  if (expects === 'answers') {
    const flow = net.connect({ host: address, port: 8080, noDelay: true });
    const send = () => flow.write('x');
    flow.on('connect', send).on('error', error => (told.failure ??= error.message));
    flow.on('close', () => (told.failure ??= 'the connection ended'));
    flow.on('data', () => { told.echoes += 1; setTimeout(send, 2); });
  }
  console.log('started');
  process.stdin.on('end', () => {
    isEnding = true;
    clearInterval(timer);
    if (expects !== 'answers' || pending.size === 0) end();
    else setTimeout(end, 5000);
  }).resume();
`;

interface Told {
  readonly attempts: number;
  readonly answered: number;
  /** answers on the connection that lasts */
  readonly echoes: number;
  readonly failure?: string;
}

interface Stream {
  end(): Promise<Told>;
}

async function startStream(from: LabWorkload, address: string, expects: string): Promise<Stream> {
  const args = [`--net=${netnsPath(from.netns)}`, process.execPath, '-e', PROGRAM, address, expects];
  const child = spawn('nsenter', args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    end: async () => {
      child.stdin.end();
      return JSON.parse(String((await lines.next()).value)) as Told; // printed above
    },
  };
}

/**
 * How often a workload had to ask again for a connection, or to send again on one that lasts: exact, where a delay could
 * also be a busy machine. The ends of connections do not count: of ten thousand on a busy machine one or the other has to
 * send its last packet again, also while nothing at all happens to the agent.
 */
async function sentAgain(lab: AgentLab, { netns }: LabWorkload): Promise<number> {
  const { stdout } = await lab.run(netns, 'cat', '/proc/net/netstat');
  const [names = [], values = []] = stdout
    .split('\n')
    .flatMap(line => (line.startsWith('TcpExt:') ? [line.split(' ')] : []));
  const open = await lab.run(netns, 'ss', '-Htino', 'state', 'established');
  const resent = open.stdout.matchAll(/ retrans:\d+\/(\d+)/g);
  return (
    Number(values[names.indexOf('TCPSynRetrans')]) +
    Iterator.from(resent).reduce((sum, [, n]) => sum + Number(n), 0)
  );
}

/** While `action` happens no packet is lost of what is allowed, new or established, and nothing denied passes. */
export async function undisturbed(streams: Streams, action: () => Promise<void>): Promise<void> {
  const { lab, to, address } = streams;
  const ends = [streams.allowed, to];
  const lost = async (): Promise<readonly number[]> =>
    await Promise.all(ends.map(async each => await sentAgain(lab, each)));
  // A tail loss probe leaves after a few milliseconds without an answer: on a busy machine nothing is lost then.
  for (const { netns } of ends) await lab.run(netns, 'sysctl', '-qw', 'net.ipv4.tcp_early_retrans=0');
  const before = await lost();
  const started = await Promise.all([
    startStream(streams.allowed, address, 'answers'),
    ...(streams.denied === undefined ? [] : [startStream(streams.denied, address, 'silence')]),
  ]);
  let told: readonly Told[] = [];
  let after: readonly number[] = [];
  try {
    await action();
    // The connection that lasts is still there.
    after = await lost();
  } finally {
    told = await Promise.all(started.map(async each => await each.end()));
  }
  const [passed, dropped] = told;
  expect(passed).toMatchObject({ attempts: passed?.answered });
  expect(passed).not.toHaveProperty('failure');
  expect(passed?.echoes).toBeGreaterThan(0);
  expect(dropped?.answered ?? 0).toBe(0);
  expect(Math.min(...told.map(({ attempts }) => attempts))).toBeGreaterThan(1);
  expect(after).toEqual(before);
}
