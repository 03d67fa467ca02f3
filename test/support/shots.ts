import { eventually } from './netns.js';
import type { Mark } from './packets.js';
import type { Router } from './wires.js';
import type { Packet } from '../../src/policy/index.js';

/** A packet to try, the wires where it starts and where it should come out; undefined: the router itself. */
export interface Probe {
  readonly packet: Packet;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export interface Range {
  /**
   * Sends all and answers for each whether it arrived. Each must be of another connection. `controls` are
   * packets that nothing ever stops, one for each interface that sends.
   */
  shoot(probes: readonly Probe[], controls: readonly Probe[]): Promise<readonly boolean[]>;
}

/**
 * Tells arrival from silence without waiting: the controls are sent after the probes, from the same places, and
 * must arrive; then a probe that has not was dropped. Marks are never used twice.
 */
export function createRange(router: Router): Range {
  let next: Mark = 1;
  const send = ({ packet, from }: Probe): Mark => {
    const mark = next++;
    if (from === undefined) router.sendFromHost(packet, mark);
    else router.send(from, packet, mark);
    return mark;
  };
  const arrived = (probe: Probe, mark: Mark, atHost: ReadonlySet<Mark>): boolean =>
    probe.to === undefined ? atHost.has(mark) : router.received(probe.to).has(mark);

  const sendControls = async (controls: readonly Probe[]): Promise<ReadonlySet<Mark>> => {
    const sent = controls.map(control => [control, send(control)] as const);
    let atHost: ReadonlySet<Mark> = new Set();
    await eventually('the controls arrive', async () => {
      atHost = await router.receivedByHost();
      return sent.every(([control, mark]) => arrived(control, mark, atHost));
    });
    return atHost;
  };

  return {
    async shoot(probes, controls) {
      const sent = probes.map(probe => [probe, send(probe)] as const);
      await sendControls(controls);
      // Once more: by now every processor has handled what it had queued before the first controls.
      const atHost = await sendControls(controls);
      return sent.map(([probe, mark]) => arrived(probe, mark, atHost));
    },
  };
}
