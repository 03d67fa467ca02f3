import { describe, expect, test } from 'vitest';
import { isCalicoError } from '../base/index.js';
import { MessageWriter } from './codec.js';
import { writeAddress } from './rtnl/addr.js';
import { readLink, writeLinkIndex, writeVeth } from './rtnl/link.js';
import { writeNeighbour } from './rtnl/neigh.js';
import { readRoute, writeRoute } from './rtnl/route.js';
import { readAnswer } from './socket.js';

/** The body that is written, in hex. */
function body(write: (writer: MessageWriter) => void): string {
  const writer = new MessageWriter();
  write(writer);
  return Buffer.from(writer.bytes()).toString('hex');
}

const hex = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '');

function message(bytes: string, flags = 0, type = 0) {
  const buffer = Uint8Array.from(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
  return { type, flags, sequence: 1, view: new DataView(buffer.buffer), start: 0, end: buffer.length };
}

// The right-hand sides were recorded from iproute2 6.1 with strace; interface cali1 had index 2.
describe('requests are, byte for byte, those of iproute2:', () => {
  test('ip link add cali1 address … mtu 1440 type veth peer name eth0 netns 4 mtu 1440', () => {
    const veth = {
      hostName: 'cali1',
      hostMac: 'ee:ee:ee:ee:ee:ee',
      containerName: 'eth0',
      containerNetnsFd: 4,
      mtu: 1440,
    };
    expect(
      body(writer => {
        writeVeth(writer, veth);
      }),
    ).toBe(
      hex(
        '00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00',
        '0a 00 01 00 ee ee ee ee  ee ee 00 00 08 00 04 00',
        'a0 05 00 00 0a 00 03 00  63 61 6c 69 31 00 00 00',
        '40 00 12 00 08 00 01 00  76 65 74 68 34 00 02 00',
        '30 00 01 00 00 00 00 00  00 00 00 00 00 00 00 00',
        '00 00 00 00 08 00 1c 00  04 00 00 00 08 00 04 00',
        'a0 05 00 00 09 00 03 00  65 74 68 30 00 00 00 00',
      ),
    );
  });

  test('ip link del cali1', () => {
    expect(
      body(writer => {
        writeLinkIndex(writer, 2);
      }),
    ).toBe(hex('00 00 00 00 02 00 00 00  00 00 00 00 00 00 00 00'));
  });

  test('ip addr replace 10.9.0.1/24 dev cali1', () => {
    expect(
      body(writer => {
        writeAddress(writer, { index: 2, address: '10.9.0.1/24', scope: 'universe' });
      }),
    ).toBe(hex('02 18 00 00 02 00 00 00  08 00 02 00 0a 09 00 01', '08 00 01 00 0a 09 00 01'));
  });

  test('ip neigh replace 10.9.0.7 lladdr 02:00:00:00:00:01 dev cali1 nud permanent', () => {
    expect(
      body(writer => {
        writeNeighbour(writer, { index: 2, address: '10.9.0.7', mac: '02:00:00:00:00:01' });
      }),
    ).toBe(
      hex(
        '02 00 00 00 02 00 00 00  80 00 00 00 08 00 01 00',
        '0a 09 00 07 0a 00 02 00  02 00 00 00 00 01 00 00',
      ),
    );
  });

  test.each([
    [
      'ip route replace 10.1.0.1/32 dev cali1 proto 80',
      { destination: '10.1.0.1/32', interfaceIndex: 2 },
      'replace',
      '02 20 00 00 fe 50 fd 01  00 00 00 00 08 00 01 00  0a 01 00 01 08 00 04 00  02 00 00 00',
    ],
    [
      'ip route replace fd00:1::1/128 dev cali1 proto 80',
      { destination: 'fd00:1::1/128', interfaceIndex: 2 },
      'replace',
      '0a 80 00 00 fe 50 00 01  00 00 00 00 14 00 01 00  fd 00 00 01 00 00 00 00  00 00 00 00 00 00 00 01  08 00 04 00 02 00 00 00',
    ],
    [
      'ip route replace 10.3.0.0/26 via 169.254.7.7 dev cali1 proto 80 onlink',
      { destination: '10.3.0.0/26', gateway: '169.254.7.7', interfaceIndex: 2, onlink: true },
      'replace',
      '02 1a 00 00 fe 50 00 01  04 00 00 00 08 00 01 00  0a 03 00 00 08 00 05 00  a9 fe 07 07 08 00 04 00  02 00 00 00',
    ],
    [
      'ip route replace blackhole 10.2.0.0/26 proto 80',
      { destination: '10.2.0.0/26', type: 'blackhole' },
      'replace',
      '02 1a 00 00 fe 50 00 06  00 00 00 00 08 00 01 00  0a 02 00 00',
    ],
    [
      'ip route del 10.1.0.1/32 dev cali1 proto 80',
      { destination: '10.1.0.1/32', interfaceIndex: 2 },
      'delete',
      '02 20 00 00 fe 50 ff 00  00 00 00 00 08 00 01 00  0a 01 00 01 08 00 04 00  02 00 00 00',
    ],
  ] as const)('%s', (_, route, purpose, bytes) => {
    expect(
      body(writer => {
        writeRoute(writer, route, purpose);
      }),
    ).toBe(hex(bytes));
  });
});

describe('what goes to the kernel', () => {
  test.each([
    [
      'a destination',
      (writer: MessageWriter) => {
        writeRoute(writer, { destination: '10.0.0.1' }, 'replace');
      },
    ],
    [
      'a gateway',
      (writer: MessageWriter) => {
        writeRoute(writer, { destination: '::/0', gateway: 'x' }, 'replace');
      },
    ],
    [
      'an address',
      (writer: MessageWriter) => {
        writeAddress(writer, { index: 1, address: '10.0.0.1/33', scope: 'link' });
      },
    ],
    [
      'a MAC',
      (writer: MessageWriter) => {
        writeNeighbour(writer, { index: 1, address: '::1', mac: '02:00' });
      },
    ],
  ])('is refused when %s does not parse', (_, write) => {
    let thrown: unknown;
    try {
      write(new MessageWriter());
    } catch (error) {
      thrown = error;
    }
    expect(isCalicoError(thrown, 'invalid')).toBe(true);
  });
});

describe('messages of the kernel', () => {
  test('a route names its destination, interface, protocol, scope and metric', () => {
    const route = message(
      '0a 80 00 00 fe 50 00 01  00 00 00 00 08 00 0f 00  fe 00 00 00 14 00 01 00  fd 00 00 01 00 00 00 00  00 00 00 00 00 00 00 01  08 00 06 00 00 04 00 00  08 00 04 00 02 00 00 00',
    );
    expect(readRoute(route)).toEqual({
      destination: 'fd00:1::1/128',
      gateway: undefined,
      interfaceIndex: 2,
      protocol: 80,
      scope: 0,
      table: 254,
      type: 'unicast',
      metric: 1024,
    });
  });

  test('a default route has no destination attribute, and entries of the cache are left out', () => {
    expect(readRoute(message('02 00 00 00 fe 03 00 01 00 00 00 00'))?.destination).toBe('0.0.0.0/0');
    expect(readRoute(message('0a 00 00 00 fe 03 00 01 00 00 00 00'))?.destination).toBe('::/0');
    expect(readRoute(message('02 00 00 00 fe 03 00 01 00 02 00 00'))).toBeUndefined();
  });

  test('a link is up and has a carrier by its flags', () => {
    const link = (flags: string) => readLink(message(`00 00 01 00 05 00 00 00 ${flags} 00 00 00 00`));
    expect(link('43 10 01 00')).toMatchObject({ index: 5, up: true, running: true });
    expect(link('03 10 00 00')).toMatchObject({ up: true, running: false });
    expect(link('02 10 00 00')).toMatchObject({ up: false, running: false });
  });

  test("an error carries the kernel's words and the place, whether or not the request is repeated whole", () => {
    const words = '0c 00 01 00 6e 6f 20 77 61 79 00 00 08 00 02 00 1c 00 00 00';
    const capped = message(`9b ff ff ff 20 00 00 00 10 00 05 00 00 00 00 00 00 00 00 00 ${words}`, 0x300, 2);
    expect(readAnswer(capped)).toEqual({ result: -101, words: 'no way @28', offset: 28 });
    const whole = message(
      `9b ff ff ff 14 00 00 00 10 00 05 00 00 00 00 00 00 00 00 00 01 02 03 04 ${words}`,
      0x200,
      2,
    );
    expect(readAnswer(whole)).toEqual({ result: -101, words: 'no way @28', offset: 28 });
    expect(readAnswer(message('ea ff ff ff', 0, 3))).toEqual({ result: -22 });
    expect(readAnswer(message('00 00 00 00', 0x300, 2))).toEqual({ result: 0 });
  });
});
