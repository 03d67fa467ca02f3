import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { align4, forEachAttribute, forEachMessage, MessageWriter, readText, readU32 } from './codec.js';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const header = { type: 18, flags: 1, sequence: 7 };

function attributesOf(bytes: Uint8Array, start = 0): readonly { type: number; value: Uint8Array }[] {
  const found: { type: number; value: Uint8Array }[] = [];
  forEachAttribute({ view: viewOf(bytes), start, end: bytes.length }, (type, at, length) => {
    found.push({ type, value: bytes.slice(at, at + length) });
  });
  return found;
}

describe('a netlink message', () => {
  test('has a header with its length, and attributes padded with zeros to four bytes', () => {
    const writer = new MessageWriter();
    writer.begin({ type: 18, flags: 5, sequence: 0x01020304 });
    writer.attributeText(3, 'eth0').end();
    expect(Buffer.from(writer.bytes()).toString('hex')).toBe(
      '1c000000120005000403020100000000090003006574683000000000',
    );
  });

  test('pads with zeros also where an earlier, longer message left something', () => {
    const writer = new MessageWriter();
    writer.begin(header).attribute(1, new Uint8Array(64).fill(0xff)).end();
    writer.reset();
    writer.begin(header).attributeU8(1, 9).end();
    expect([...writer.bytes().subarray(16)]).toEqual([5, 0, 1, 0, 9, 0, 0, 0]);
  });

  test('reads back as it was written, whatever the attributes are', () => {
    const attribute = fc.record({
      type: fc.integer({ min: 0, max: 0x3fff }),
      value: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 20 }), attributes => {
        const writer = new MessageWriter();
        writer.begin(header);
        for (const { type, value } of attributes) writer.attribute(type, value);
        writer.end();
        const bytes = writer.bytes();
        expect(readU32(viewOf(bytes), 0)).toBe(bytes.length);
        expect(bytes.length).toBe(align4(bytes.length));
        expect(attributesOf(bytes, 16)).toEqual(
          attributes.map(({ type, value }) => ({ type, value: Uint8Array.from(value) })),
        );
      }),
    );
  });

  test('may hold attributes inside attributes', () => {
    const writer = new MessageWriter();
    writer.nested(18, outer => {
      outer.attributeText(1, 'veth');
      outer.nested(2, inner => inner.attributeU32(4, 1440));
    });
    const [outer] = attributesOf(writer.bytes());
    const inner = attributesOf(outer?.value ?? new Uint8Array());
    expect(inner.map(({ type }) => type)).toEqual([1, 2]);
    expect(attributesOf(inner[1]?.value ?? new Uint8Array())).toEqual([
      { type: 4, value: Uint8Array.of(0xa0, 5, 0, 0) },
    ]);
  });

  test('refuses an attribute whose length would not fit in its 16 bits', () => {
    const writer = new MessageWriter();
    expect(() => writer.attribute(1, new Uint8Array(65_532))).toThrow(RangeError);
    expect(() => writer.nested(1, inner => inner.raw(new Uint8Array(65_532)))).toThrow(RangeError);
    writer.reset();
    writer.attribute(1, new Uint8Array(65_531));
    expect(writer.length).toBe(65_536);
  });
});

describe('a received datagram', () => {
  test('may hold several messages', () => {
    const writer = new MessageWriter();
    for (const sequence of [1, 2, 3])
      writer
        .begin({ ...header, sequence })
        .attributeU8(1, 1)
        .end();
    const sequences: number[] = [];
    forEachMessage(viewOf(writer.bytes()), writer.length, message => sequences.push(message.sequence));
    expect(sequences).toEqual([1, 2, 3]);
  });

  test('that is garbage or cut off is read without end and without reading past it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
        const own = Uint8Array.from(bytes);
        forEachMessage(viewOf(own), own.length, message => {
          expect(message.end).toBeLessThanOrEqual(own.length);
          forEachAttribute(message, (_, at, length) => {
            expect(at + length).toBeLessThanOrEqual(message.end);
          });
        });
      }),
    );
  });

  test('has text up to the zero byte or to the end', () => {
    const bytes = new TextEncoder().encode('cali1\0rest');
    expect(readText(viewOf(bytes), 0, 10)).toBe('cali1');
    expect(readText(viewOf(bytes), 0, 4)).toBe('cali');
  });
});
