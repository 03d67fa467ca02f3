import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';

/**
 * Small network programs that the lab runs inside its workloads: something that answers on a port, and
 * something that asks. They run as processes of their own, one namespace each.
 */
export type Transport = 'tcp' | 'udp';

/** Answers every connection or datagram on the port with what it got; resolves once it listens. */
export async function answerOn(transport: Transport, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    if (transport === 'tcp') {
      const server = createServer(socket => {
        socket.on('error', () => socket.destroy());
        socket.pipe(socket);
      });
      server.once('error', reject);
      server.listen({ port, host: '::' }, resolve);
    } else {
      const socket = createSocket({ type: 'udp6' });
      socket.once('error', reject);
      socket.on('message', (message, from) => {
        socket.send(message, from.port, from.address);
      });
      socket.bind(port, '::', resolve);
    }
  });
}

export type ProbeResult =
  | { readonly outcome: 'answered'; readonly ms: number }
  /** nothing came back in time: dropped on the way */
  | { readonly outcome: 'silent'; readonly ms: number }
  /** somebody said no: nothing listens, or no route */
  | { readonly outcome: 'refused'; readonly ms: number; readonly reason: string };

export interface ProbeTarget {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

/** One attempt with a connection of its own. */
export async function probe(target: ProbeTarget, clock: Clock): Promise<ProbeResult> {
  const begin = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - begin;
  return await new Promise(resolve => {
    const { done, refused } = {
      done: (outcome: 'answered' | 'silent') => {
        end();
        resolve({ outcome, ms: elapsed() });
      },
      refused: (error: Error) => {
        end();
        resolve({ outcome: 'refused', ms: elapsed(), reason: error.message });
      },
    };
    const timer = setTimeout(() => {
      done('silent');
    }, target.timeoutMs);
    let close = (): void => undefined;
    const end = (): void => {
      clearTimeout(timer);
      close();
    };
    if (target.transport === 'tcp') {
      const socket = connect({ host: target.address, port: target.port });
      close = () => socket.destroy();
      socket.once('connect', () => {
        done('answered');
      });
      socket.once('error', refused);
    } else {
      const socket = createSocket(target.address.includes(':') ? 'udp6' : 'udp4');
      close = () => socket.close();
      socket.once('message', () => {
        done('answered');
      });
      socket.once('error', refused);
      socket.connect(target.port, target.address, () => {
        socket.send('calico');
      });
    }
  });
}

/** Reads `tcp:8080` or `udp:53`. */
export function parseService(text: string): { readonly transport: Transport; readonly port: number } {
  const match = /^(tcp|udp):([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port < 1 || port > 65_535) {
    throw new CalicoError('invalid', `'${text}' is not a service: expected tcp:PORT or udp:PORT`);
  }
  return { transport: match[1] === 'tcp' ? 'tcp' : 'udp', port };
}
