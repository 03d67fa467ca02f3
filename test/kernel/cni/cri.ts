import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect } from 'node:net';

/**
 * As much of protobuf and gRPC as asking a container runtime takes: what kubelet says to it, over its socket.
 * A field is its number and its value; a value is a text, a number, or the fields of a message.
 */
export type Field = readonly [number: number, value: string | number | readonly Field[]];

/** Length-delimited fields of a message by number; numbers are passed over, as no test wants one. */
export type Message = ReadonlyMap<number, readonly Buffer[]>;

export interface CriClient {
  /** Calls a method of `runtime.v1.RuntimeService`; fails with the words of the runtime. */
  call(method: string, request: readonly Field[]): Promise<Message>;
  close(): void;
}

export function connectCri(socketPath: string): CriClient {
  const session = connectHttp2('http://localhost', { createConnection: () => connect(socketPath) });
  // Each call tells of it too.
  session.on('error', () => undefined);
  return {
    call: async (method, request) => unary(session, method, encodeMessage(request)),
    close: () => {
      session.destroy();
    },
  };
}

async function unary(session: ClientHttp2Session, method: string, body: Buffer): Promise<Message> {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/runtime.v1.RuntimeService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([prefix, body]));
  const chunks: Buffer[] = [];
  const said: Record<string, unknown> = {};
  // A failure without an answer has its status in the headers.
  for (const event of ['response', 'trailers'])
    stream.on(event, (headers: object) => Object.assign(said, headers));
  await new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', resolve);
  });
  if (said['grpc-status'] !== '0')
    throw new Error(`${method}: ${decodeURIComponent(String(said['grpc-message']))}`);
  return decodeMessage(Buffer.concat(chunks).subarray(prefix.length));
}

/** The text of a field; empty if it is not there. */
export function textOf(message: Message, field: number): string {
  return message.get(field)?.[0]?.toString('utf8') ?? '';
}

/** The message in a field; empty if it is not there. */
export function messageIn(message: Message, field: number): Message {
  return decodeMessage(message.get(field)?.[0] ?? Buffer.alloc(0));
}

function encodeMessage(fields: readonly Field[]): Buffer {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'number') return [varint(number << 3), varint(value)];
    const content = typeof value === 'string' ? Buffer.from(value) : encodeMessage(value);
    return [varint((number << 3) | 2), varint(content.length), content];
  });
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}

function decodeMessage(bytes: Buffer): Message {
  const fields = new Map<number, readonly Buffer[]>();
  let at = 0;
  const number = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = number();
    if ((tag & 7) === 0) number();
    else if ((tag & 7) === 2) {
      const length = number();
      fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), bytes.subarray(at, at + length)]);
      at += length;
    } else throw new Error(`unexpected wire type ${String(tag & 7)}`);
  }
  return fields;
}
