import { DatabaseSync } from 'node:sqlite';
import { Server } from 'node:net';
import koffi from 'koffi';

/**
 * Loaded before calico-node (`node --import`), ends the process without a last word at one moment of its life:
 * `DIE_AT='before nft'`. What the program does is seen at its edges: in the C library, in SQLite, at its sockets.
 */
const [side = '', moment = ''] = (process.env['DIE_AT'] ?? '').split(' ');

function at<T>(what: string | undefined, call: () => T): T {
  if (what !== moment) return call();
  if (side === 'before') process.kill(process.pid, 'SIGKILL');
  const result = call();
  process.kill(process.pid, 'SIGKILL');
  return result;
}

/** First messages of a batch for nftables, and of requests for routes and neighbours. */
const MESSAGES: Readonly<Record<number, string>> = {
  16: 'nft',
  24: 'route',
  25: 'route-end',
  28: 'neighbour',
};

function messageOf(data: unknown): string | undefined {
  return data instanceof Uint8Array
    ? MESSAGES[new DataView(data.buffer, data.byteOffset).getUint16(4, true)]
    : undefined;
}

type Send = ((...args: unknown[]) => number) & { async: (...args: unknown[]) => void };
type Library = { func: (declaration: string) => Send };

const load = koffi.load.bind(koffi) as unknown as (path: string | null) => Library;
Object.assign(koffi, {
  load: (path: string | null): Library => {
    const library = load(path);
    const wrapped = (declaration: string): Send => {
      const made = library.func(declaration);
      if (!declaration.startsWith('long send(')) return made;
      const send = (...args: unknown[]): number => at(messageOf(args[1]), () => made(...args));
      return Object.assign(send, {
        // A large batch goes out on another thread: after it means when it has been answered.
        async: (...args: unknown[]): void => {
          const done = args.pop() as (...told: unknown[]) => void;
          const what = messageOf(args[1]);
          if (what === moment && side === 'before') process.kill(process.pid, 'SIGKILL');
          made.async(...args, (...told: unknown[]) => {
            at(what, () => {
              done(...told);
            });
          });
        },
      });
    };
    return { func: wrapped };
  },
});

type Call = (...args: unknown[]) => unknown;

/** Puts what `make` makes of a method in its place. */
function replaced(prototype: object, method: string, make: (call: Call) => Call): void {
  const original = Reflect.get(prototype, method) as Call; // a method
  Reflect.set(prototype, method, function (this: object, ...args: unknown[]) {
    return make((...given) => Reflect.apply(original, this, given))(...args);
  });
}

/** The agent's own status is on its way: the transaction is open, or about to end. */
let isStatus = false;

const throughSqlite =
  (text: string) =>
  (call: Call): Call =>
  (...args) => {
    const isOfStatus = JSON.stringify(args).includes('/calico/felix/v1/host/');
    isStatus ||= isOfStatus;
    const isEnd = text === 'COMMIT' && isStatus;
    return at(isOfStatus ? 'status' : isEnd ? 'status-commit' : undefined, () => call(...args));
  };

replaced(DatabaseSync.prototype, 'prepare', prepare => (text, ...rest) => {
  const statement = prepare(text, ...rest) as object;
  for (const method of ['get', 'run']) replaced(statement, method, throughSqlite(String(text)));
  return statement;
});

replaced(Server.prototype, 'listen', listen => (path, ...rest) => {
  const what = typeof path === 'string' ? path.split('/').at(-1) : undefined;
  return at(what, () => listen(path, ...rest));
});

at('program', () => undefined);
