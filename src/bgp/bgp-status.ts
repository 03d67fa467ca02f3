import { ControlSocket } from './control-socket.js';
import { parseProtocols, parseRouteCounts } from './status.js';
import type { PeerStatus, RouteCounts } from './status.js';

/** What a running BGP daemon says of itself. */
export interface BgpStatus {
  readonly peers: readonly PeerStatus[];
  readonly routes: RouteCounts;
  /** true for up to 20 s after a restart with routes kept: until the neighbours have told all, no route is written */
  readonly recovering: boolean;
}

/** Asks the BIRD behind a control socket, without any right to change it; `unavailable` when none runs. */
export async function readBgpStatus(socketPath: string): Promise<BgpStatus> {
  const control = await ControlSocket.open({ path: socketPath, readOnly: true });
  try {
    const peers = parseProtocols(await control.command('show protocols'));
    const routes = parseRouteCounts(await control.command('show route count'));
    const { lines } = await control.command('show status');
    const recovering = lines.some(({ text }) => text.includes('Graceful restart recovery in progress'));
    return { peers, routes, recovering };
  } finally {
    control.close();
  }
}
