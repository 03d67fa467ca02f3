import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface SrvAnswer {
  readonly priority: number;
  readonly port: number;
  readonly host: string;
}

/** A name server on this host that knows some SRV records, and of every other name that it does not exist. */
export async function startDnsServer(
  records: Readonly<Record<string, readonly SrvAnswer[]>>,
): Promise<{ readonly address: string; close(): Promise<void> }> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
      labels.push(question.subarray(at + 1, at + 1 + length).toString());
      at += length + 1;
    }
    const found = records[labels.join('.').toLowerCase()];
    const header = Buffer.alloc(12);
    header.writeUInt16BE(question.readUInt16BE(0), 0);
    header.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2); // 3: no such name
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found?.length ?? 0, 6);
    const answers = (found ?? []).map(({ priority, port, host }) => {
      const target = Buffer.concat([
        ...host.split('.').map(label => Buffer.from([label.length, ...Buffer.from(label)])),
        Buffer.from([0]),
      ]);
      const fixed = Buffer.alloc(18);
      fixed.writeUInt16BE(0xc00c, 0); // the name of the question
      fixed.writeUInt16BE(33, 2); // SRV
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt16BE(6 + target.length, 10);
      fixed.writeUInt16BE(priority, 12);
      fixed.writeUInt16BE(port, 16);
      return Buffer.concat([fixed, target]);
    });
    socket.send(Buffer.concat([header, question.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${String(socket.address().port)}`,
    close: async () => {
      socket.close();
      await once(socket, 'close');
    },
  };
}
