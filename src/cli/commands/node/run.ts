import { hostname } from 'node:os';
import { buildInfo } from '../../../base/index.js';
import { defineCommand, flag, text, typed } from '../../command.js';
import type { ExitCode } from '../../command.js';
import { readSettings } from '../../connection-settings.js';
import { nodeImageOf, nodeRunHelp } from '../../help/node-run.js';
import { visible } from '../../output/index.js';
import type { Output } from '../../output/index.js';
import { failingAs } from '../failing-as.js';
import { runDirOf } from './agent-answer.js';
import { dockerCommand } from './docker-command.js';
import { nativeVariables, startNative, systemdUnit } from './native.js';
import { mayManageNode } from './require-root.js';
import { runContainer } from './run-container.js';
import { readRunOptions } from './run-options.js';

function printDocker(command: string, initSystem: boolean, out: Output): ExitCode {
  out.line('Use the following command to start the calico/node container:');
  out.line();
  out.line(visible(command));
  out.line();
  if (initSystem) {
    out.line('Use the following command to stop the calico/node container:');
    out.line();
    out.line('docker stop calico-node');
    out.line();
  } else {
    out.line('If you are running calico/node in an init system, use the --init-system flag');
    out.line('to display the appropriate start and stop commands.');
  }
  return 0;
}

const { version } = buildInfo();

export const nodeRunCommand = defineCommand({
  path: ['node', 'run'],
  help: nodeRunHelp(version),
  options: {
    ip: text('--ip'),
    ip6: text('--ip6'),
    as: text('--as'),
    name: text('--name'),
    logDir: text('--log-dir'),
    nodeImage: typed('--node-image'),
    backend: text('--backend'),
    config: text('--config'),
    noDefaultIpPools: flag('--no-default-ippools'),
    dryrun: flag('--dryrun'),
    initSystem: flag('--init-system'),
    disableDockerNetworking: flag('--disable-docker-networking'),
    dockerNetworkingPrefix: text('--docker-networking-ifprefix'),
  },
  run: async ({ options, out, env, clock, nodeProgram: program }) =>
    await failingAs({ prefix: 'Error executing command', out }, async () => {
      const { dryrun, initSystem, nodeImage, config: configFile = '' } = options;
      const run = readRunOptions({ ...options, nodeImage: nodeImage ?? nodeImageOf(version) }, hostname());
      const datastore = await readSettings({ env, configFile });
      if (dryrun) return printDocker(dockerCommand(run, datastore, initSystem).join(' '), initSystem, out);
      if (nodeImage !== undefined) {
        if (!mayManageNode(out)) return 1;
        const command = dockerCommand(run, datastore, initSystem);
        return await runContainer({ command, attached: initSystem, env, out });
      }
      const variables = nativeVariables(run, datastore.settings, env);
      if (initSystem) {
        out.text(systemdUnit(program, variables));
        return 0;
      }
      if (!mayManageNode(out)) return 1;
      out.line('Starting calico-node, checking progress.');
      const { logDir } = run;
      const started = await startNative({
        program,
        env: { ...env, ...variables },
        logDir,
        runDir: runDirOf(env),
        clock,
      });
      if (started.kind === 'ready') {
        out.line(`Calico node started successfully (process ${String(started.pid)})`);
        return 0;
      }
      out.line(
        visible(
          `Error executing command: calico-node (process ${String(started.pid)}) is not ready yet: ${started.reasons}`,
        ),
      );
      out.line(visible(`It goes on trying; its log is ${logDir}/calico-node.log`));
      return 1;
    }),
});
