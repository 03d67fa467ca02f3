import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import { DAEMON_PATH } from './daemon.js';
import { netnsPath } from './namespaces.js';

export interface MeasureRequest {
  readonly node: string;
  readonly program: string;
  readonly fromNetns: string;
  readonly toNetns: string;
  readonly address: string;
  readonly port: number;
  readonly clock: Clock;
}

export interface Effect {
  readonly became: 'allowed' | 'denied';
  /** from the moment the change was committed to the first datagram that met the other fate */
  readonly ms: number;
}

/** Datagrams flow between two places of the lab; `effectOf` makes a change and tells when it was felt. */
export interface Measurement {
  effectOf(change: () => Promise<void>): Promise<Effect>;
  close(): Promise<void>;
}

const SILENCE_MS = 60;
const LIMIT_MS = 10_000;

/** The receiver, asked for what came since the last question. */
class Receiver {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(child: ChildProcess) {
    this.process = child;
    if (child.stdout === null) throw new Error('the receiver has no standard output');
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  async line(): Promise<unknown> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new CalicoError('unavailable', 'the receiver of the measurement ended');
    return JSON.parse(value);
  }

  /** Stamps since the last call. */
  async stamps(): Promise<readonly number[]> {
    this.process.stdin?.write('\n');
    return (await this.line()) as readonly number[];
  }
}

function startInside(request: MeasureRequest, netns: string, args: readonly string[]): ChildProcess {
  return spawn('nsenter', [`--net=${netnsPath(netns)}`, request.node, request.program, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: DAEMON_PATH },
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>(resolve => {
    child.once('exit', () => {
      resolve();
    });
    child.stdin?.end();
  });
}

/** Starts the stream and makes sure that it runs. */
export async function startMeasurement(request: MeasureRequest): Promise<Measurement> {
  const { clock } = request;
  const receiver = new Receiver(
    startInside(request, request.toNetns, ['receive-stamps', `udp:${String(request.port)}`]),
  );
  await receiver.line();
  const sender = startInside(request, request.fromNetns, [
    'send-stamps',
    `udp:${String(request.port)}`,
    request.address,
  ]);
  await clock.sleep(SILENCE_MS);

  /** Waits until the stream flows, or has been silent long enough; true when it flows. */
  const flows = async (): Promise<boolean> => {
    await receiver.stamps();
    await clock.sleep(SILENCE_MS);
    return (await receiver.stamps()).length > 0;
  };

  /** Send time of the first datagram that came through after `since`. */
  const firstAfter = async (since: number): Promise<number> => {
    while (clock.monotonic() < since + LIMIT_MS) {
      const first = (await receiver.stamps()).find(stamp => stamp > since);
      if (first !== undefined) return first;
      await clock.sleep(2);
    }
    throw new CalicoError('unavailable', `nothing came through within ${String(LIMIT_MS)} ms of the change`);
  };

  /** Send time of the last datagram that came through before the silence. */
  const lastBeforeSilence = async (since: number): Promise<number> => {
    let last = since;
    while (clock.monotonic() < last + SILENCE_MS) {
      last = Math.max(last, ...(await receiver.stamps()));
      if (last > since + LIMIT_MS) {
        throw new CalicoError(
          'unavailable',
          `datagrams still come through ${String(LIMIT_MS)} ms after the change`,
        );
      }
      await clock.sleep(2);
    }
    return last;
  };

  return {
    effectOf: async change => {
      const flowed = await flows();
      await change();
      const committed = clock.monotonic();
      const felt = flowed ? await lastBeforeSilence(committed) : await firstAfter(committed);
      return { became: flowed ? 'denied' : 'allowed', ms: felt - committed };
    },
    close: async () => {
      await ended(sender);
      await ended(receiver.process);
    },
  };
}
