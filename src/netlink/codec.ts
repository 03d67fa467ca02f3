/**
 * The form of netlink messages: a 16-byte header, a fixed part for the family, then attributes that carry
 * their own length and may be nested; everything starts at a multiple of four. Integers are in host order
 * (netfilter's are big-endian: the `Net` functions).
 */
const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

export const HEADER_LENGTH = 16;
const ATTRIBUTE_HEADER_LENGTH = 4;
const MAX_ATTRIBUTE_LENGTH = 0xffff;
/** without the flags for nested and for big-endian */
const TYPE_MASK = 0x3fff;

export function align4(length: number): number {
  return (length + 3) & ~3;
}

export interface MessageHeader {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** Builds one message or several in a row, in a buffer that grows and is used again after `reset`. */
export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;
  #start = 0;

  get length(): number {
    return this.#length;
  }

  /** The buffer itself, of which the first `length` bytes count: valid until the next write. */
  get buffer(): Uint8Array {
    return this.#bytes;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  /** Starts a message; `end` writes its length. */
  begin(header: MessageHeader): this {
    this.#start = this.#length;
    this.u32(0).u16(header.type).u16(header.flags).u32(header.sequence).u32(0);
    return this;
  }

  end(): this {
    this.#view.setUint32(this.#start, this.#length - this.#start, littleEndian);
    return this;
  }

  u8(value: number): this {
    const at = this.#claim(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, littleEndian);
    return this;
  }

  u32(value: number): this {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, littleEndian);
    return this;
  }

  u16Net(value: number): this {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, false);
    return this;
  }

  u32Net(value: number): this {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, false);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  attribute(type: number, value: Uint8Array): this {
    this.u16(ATTRIBUTE_HEADER_LENGTH + checkedLength(value.length))
      .u16(type)
      .raw(value);
    return this.#pad();
  }

  attributeU8(type: number, value: number): this {
    this.u16(ATTRIBUTE_HEADER_LENGTH + 1)
      .u16(type)
      .u8(value);
    return this.#pad();
  }

  attributeU32(type: number, value: number): this {
    return this.u16(ATTRIBUTE_HEADER_LENGTH + 4)
      .u16(type)
      .u32(value);
  }

  attributeU32Net(type: number, value: number): this {
    return this.u16(ATTRIBUTE_HEADER_LENGTH + 4)
      .u16(type)
      .u32Net(value);
  }

  /** A text with the zero byte that C expects at its end. */
  attributeText(type: number, text: string): this {
    return this.attribute(type, textBytes(`${text}\0`));
  }

  /** An attribute that holds what `fill` writes; netfilter wants the flag for nested in `type`. */
  nested(type: number, fill: (writer: this) => void): this {
    const start = this.#length;
    this.u16(0).u16(type);
    fill(this);
    const length = this.#length - start;
    this.#view.setUint16(
      start,
      checkedLength(length - ATTRIBUTE_HEADER_LENGTH) + ATTRIBUTE_HEADER_LENGTH,
      littleEndian,
    );
    return this;
  }

  #pad(): this {
    const end = align4(this.#length);
    // The buffer is used again: what pads must not be what an earlier message left there.
    while (this.#length < end) this.u8(0);
    return this;
  }

  /** Room for `count` bytes more; returns where they start. */
  #claim(count: number): number {
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#length = needed;
    return at;
  }
}

/** The text in UTF-8. An encoder takes longer for a name of a few letters than a look at each. */
function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return new TextEncoder().encode(text);
    bytes[at] = code;
  }
  return bytes;
}

/** The 16-bit length would wrap silently and the kernel would read another message than was meant. */
function checkedLength(length: number): number {
  if (length + ATTRIBUTE_HEADER_LENGTH > MAX_ATTRIBUTE_LENGTH) {
    throw new RangeError(`a netlink attribute holds 65531 bytes at most, not ${String(length)}`);
  }
  return length;
}

/** A received message: its header, and where its payload lies in the buffer. */
export interface Message extends MessageHeader {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
}

/** The messages in the first `length` bytes; one that claims more than there is ends the walk. */
export function forEachMessage(view: DataView, length: number, visit: (message: Message) => void): void {
  let at = 0;
  while (at + HEADER_LENGTH <= length) {
    const size = readU32(view, at);
    if (size < HEADER_LENGTH || at + size > length) return;
    visit({
      type: readU16(view, at + 4),
      flags: readU16(view, at + 6),
      sequence: readU32(view, at + 8),
      view,
      start: at + HEADER_LENGTH,
      end: at + size,
    });
    at += align4(size);
  }
}

/** The attributes between two offsets; `at` and `length` are those of the value. */
export function forEachAttribute(
  { view, start, end }: Pick<Message, 'view' | 'start' | 'end'>,
  visit: (type: number, at: number, length: number) => void,
): void {
  let at = start;
  while (at + ATTRIBUTE_HEADER_LENGTH <= end) {
    const size = readU16(view, at);
    if (size < ATTRIBUTE_HEADER_LENGTH || at + size > end) return;
    visit(readU16(view, at + 2) & TYPE_MASK, at + ATTRIBUTE_HEADER_LENGTH, size - ATTRIBUTE_HEADER_LENGTH);
    at += align4(size);
  }
}

export function readU16(view: DataView, at: number): number {
  return view.getUint16(at, littleEndian);
}

export function readU32(view: DataView, at: number): number {
  return view.getUint32(at, littleEndian);
}

/** Beyond 2^53 the last digits are lost. */
export function readU64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, littleEndian));
}

export function readI32(view: DataView, at: number): number {
  return view.getInt32(at, littleEndian);
}

/** Text up to its zero byte, or to `length`. */
export function readText(view: DataView, at: number, length: number): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset + at, length);
  const zero = bytes.indexOf(0);
  // A decoder of its own for each name would take most of the time of reading a table.
  return bytes.toString('utf8', 0, zero < 0 ? length : zero);
}
