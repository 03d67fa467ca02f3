import { buildInfo } from '../../../base/index.js';
import { defineCommand, flag, text } from '../../command.js';
import { nodeRunHelp } from '../../help/node-run.js';
import { notAvailable } from '../not-available.js';

export const nodeRunCommand = defineCommand({
  path: ['node', 'run'],
  help: nodeRunHelp(buildInfo().version),
  options: {
    ip: text('--ip'),
    ip6: text('--ip6'),
    as: text('--as'),
    name: text('--name'),
    logDir: text('--log-dir'),
    nodeImage: text('--node-image'),
    backend: text('--backend'),
    config: text('--config'),
    noDefaultIpPools: flag('--no-default-ippools'),
    dryrun: flag('--dryrun'),
    initSystem: flag('--init-system'),
    disableDockerNetworking: flag('--disable-docker-networking'),
    dockerNetworkingPrefix: text('--docker-networking-ifprefix'),
  },
  run: ({ out }) => notAvailable(out, ['node', 'run']),
});
