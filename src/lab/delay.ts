import type { Clock } from '../base/index.js';
import type { Tap } from '../netlink/index.js';

/** Frames on their way, at most: with more the wire is full, and loses what comes. */
const MOST_ON_THE_WAY = 10_000;

/** A wire that is so long: what is put in comes out, in order, after `delayMs`. */
function longWire(delayMs: number, clock: Clock, out: (frame: Uint8Array) => void): (frame: Buffer) => void {
  const onTheWay: { readonly due: number; readonly frame: Buffer }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const arrive = (): void => {
    timer = undefined;
    const now = clock.monotonic();
    for (let first = onTheWay[0]; first !== undefined && first.due <= now; first = onTheWay[0]) {
      onTheWay.shift();
      out(first.frame);
    }
    wait();
  };
  const wait = (): void => {
    const first = onTheWay[0];
    if (timer !== undefined || first === undefined) return;
    timer = setTimeout(arrive, Math.max(0, first.due - clock.monotonic()));
  };
  return frame => {
    if (onTheWay.length >= MOST_ON_THE_WAY) return;
    onTheWay.push({ due: clock.monotonic() + delayMs, frame });
    wait();
  };
}

/** Joins two TAP devices, which it makes, by a wire with a delay in both directions; runs until it is ended. */
export async function delayBetween(near: string, far: string, delayMs: number, clock: Clock): Promise<void> {
  // Loaded here, for other programs of the lab must start fast.
  const { openTap } = await import('../netlink/index.js');
  const ends: { near?: Tap; far?: Tap } = {};
  ends.near = await openTap(
    near,
    longWire(delayMs, clock, frame => ends.far?.send(frame)),
  );
  ends.far = await openTap(
    far,
    longWire(delayMs, clock, frame => ends.near?.send(frame)),
  );
}
