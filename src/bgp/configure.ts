import { CalicoError } from '../base/index.js';
import type { Clock } from '../base/index.js';
import type { ControlSocket } from './control-socket.js';
import { parseProtocolNames } from './status.js';

const ATTEMPTS = 3;
const PAUSE_MS = 200;

/** Reconfigured, in progress, queued behind one that is in progress. */
const ACCEPTED: ReadonlySet<number> = new Set([3, 4, 5]);

/**
 * Makes a running BIRD read its configuration file, and does not believe it before each protocol of `text`
 * is there: a daemon that silently kept the old one was the cause of many reports. `invalid` when BIRD
 * refuses the file, `unavailable` when it does not get there.
 */
export async function configure(control: ControlSocket, text: string, clock: Clock): Promise<void> {
  let missing: readonly string[] = [];
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const reply = await control.command('configure');
    if (reply.code === 8002) {
      const complaint = reply.lines.at(-1)?.text ?? '';
      throw new CalicoError('invalid', `BIRD refuses its new configuration, the old one stays: ${complaint}`);
    }
    if (ACCEPTED.has(reply.code)) {
      const present = parseProtocolNames(await control.command('show protocols'));
      missing = protocolNames(text).filter(name => !present.has(name));
      if (missing.length === 0) return;
    }
    await clock.sleep(PAUSE_MS);
  }
  const what =
    missing.length === 0 ? 'it answers something else' : `it lacks ${missing.slice(0, 3).join(', ')}`;
  throw new CalicoError('unavailable', `BIRD did not take its new configuration: ${what}`);
}

/** The names of the protocols that a configuration of ours defines. */
function protocolNames(text: string): readonly string[] {
  return [...text.matchAll(/^protocol [a-z]+ ([A-Za-z0-9_]+) /gm)].map(([, name = '']) => name);
}
