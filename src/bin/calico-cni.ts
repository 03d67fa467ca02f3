import { buffer } from 'node:stream/consumers';
import { buildInfo } from '../base/index.js';
import { launch } from '../cni/index.js';

/** The CNI plugins where no C compiler built the launcher: `calico-cni.js calico|calico-ipam [-v]`. */
const env = process.env;
const [, , program, option] = process.argv;
if (option === '-v') process.stdout.write(`${buildInfo().version}\n`);
else {
  const answer = await launch({
    socketPath: `${env['CALICO_RUN_DIR'] ?? '/run/calico'}/cni.sock`,
    stateDir: env['CALICO_STATE_DIR'] ?? '/var/lib/calico',
    request: {
      program: program === 'calico-ipam' ? 'calico-ipam' : 'calico',
      command: env['CNI_COMMAND'] ?? '',
      containerId: env['CNI_CONTAINERID'] ?? '',
      netns: env['CNI_NETNS'] ?? '',
      ifName: env['CNI_IFNAME'] ?? '',
      args: env['CNI_ARGS'] ?? '',
      path: env['CNI_PATH'] ?? '',
      stdin: (await buffer(process.stdin)).toString('utf8'),
    },
  });
  process.stdout.write(answer.stdout);
  process.exitCode = answer.exitCode;
}
