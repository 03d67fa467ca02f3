import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A way to a server that can be cut, as a network does it. */
export interface TcpProxy {
  readonly endpoint: string;
  /** Ends all connections, and refuses new ones until it is joined again. */
  cut(): void;
  /** Keeps all connections but carries nothing, and accepts new ones only to ignore them. */
  freeze(): void;
  join(): void;
  close(): Promise<void>;
}

/** Starts a proxy before the endpoint of a server, which is of the form `http://127.0.0.1:2379`. */
export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let state: 'joined' | 'cut' | 'frozen' = 'joined';
  const hold = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer(near => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    hold(near);
    if (state === 'frozen') return;
    const far = connect(Number(port), hostname);
    hold(far);
    const forward = (from: Socket, to: Socket): void => {
      from.on('data', (chunk: Buffer) => {
        if (state === 'joined') to.write(chunk);
      });
      from.once('close', () => to.destroy());
    };
    forward(near, far);
    forward(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    endpoint: `http://127.0.0.1:${String(address.port)}`,
    cut: () => {
      state = 'cut';
      drop();
    },
    freeze: () => {
      state = 'frozen';
    },
    join: () => {
      state = 'joined';
    },
    close: async () => {
      drop();
      server.close();
      await once(server, 'close');
    },
  };
}
