import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Clock } from '../base/index.js';

/**
 * A stream of datagrams that each carry the moment they were sent. Nothing is ever answered, so that for
 * connection tracking every one of them is the first packet of a flow, and policy decides on each.
 */
const INTERVAL_MS = 0.2;

/** Sends stamps until standard input ends. */
export async function sendStamps(address: string, port: number, clock: Clock): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await new Promise<void>(resolve => {
    socket.connect(port, address, resolve);
  });
  // A policy that denies may answer with an error: that is for the receiver to notice.
  socket.on('error', () => undefined);
  const stamp = Buffer.alloc(8);
  let ended = false;
  let last = 0;
  process.stdin.on('end', () => (ended = true)).resume();
  await new Promise<void>(resolve => {
    const next = (): void => {
      const now = clock.monotonic();
      if (now - last >= INTERVAL_MS) {
        last = now;
        stamp.writeDoubleLE(now);
        socket.send(Buffer.from(stamp), () => undefined);
      }
      if (ended) resolve();
      else setImmediate(next);
    };
    next();
  });
  socket.close();
}

/** Collects stamps; each line on standard input is answered with those that came since the one before. */
export async function receiveStamps(port: number): Promise<void> {
  const socket = createSocket({ type: 'udp6' });
  let stamps: number[] = [];
  socket.on('message', message => {
    if (message.length === 8) stamps.push(message.readDoubleLE());
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, '::', resolve);
  });
  process.stdout.write('"listening"\n');
  const questions = createInterface({ input: process.stdin });
  questions.on('line', () => {
    process.stdout.write(`${JSON.stringify(stamps)}\n`);
    stamps = [];
  });
  await once(questions, 'close');
  socket.close();
}
