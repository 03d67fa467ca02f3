import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { kernelError } from './kernel-error.js';
import { loadLibc } from './libc.js';

/** A network device whose other end is this process; it goes away with `close`, or with the process. */
export interface Tap {
  /** Sends an Ethernet frame into the kernel; one that it does not take is lost, as on a wire. */
  send(frame: Uint8Array): void;
  close(): void;
}

const TUNSETIFF = 0x4004_54ca;
const IFF_TAP = 0x0002;
/** frames without a header of the driver before them */
const IFF_NO_PI = 0x1000;
const IFREQ_LENGTH = 40;
const IFREQ_FLAGS = 16;
const LARGEST_FRAME = 65_536;

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/**
 * Makes a TAP device in the network namespace of this process and hands each frame that the kernel sends out of
 * it to `onFrame`, which must not throw. A CalicoError when the kernel has no such devices, or the name is taken.
 */
export async function openTap(name: string, onFrame: (frame: Buffer) => void): Promise<Tap> {
  const libc = await loadLibc();
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(IFREQ_LENGTH);
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TAP | IFF_NO_PI, IFREQ_FLAGS);
  const result = libc.ioctl(fd, TUNSETIFF, request);
  if (result < 0) {
    closeSync(fd);
    throw kernelError(`make TAP device ${name}`, { result });
  }
  const buffer = Buffer.alloc(LARGEST_FRAME);
  const drain = (): void => {
    for (;;) {
      try {
        onFrame(Buffer.from(buffer.subarray(0, readSync(fd, buffer))));
      } catch {
        return; // nothing left to read for now, or the device is down
      }
    }
  };
  const poll = libc.poll(fd, status => {
    if (status === 0) drain();
    else poll.restart();
  });
  return {
    send: frame => {
      try {
        writeSync(fd, frame);
      } catch (error) {
        if (!['EAGAIN', 'EIO', 'ENOBUFS'].includes(codeOf(error))) throw error;
      }
    },
    close: () => {
      poll.close();
      closeSync(fd);
    },
  };
}
