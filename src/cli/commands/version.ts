import { buildInfo } from '../../base/index.js';
import { defineCommand } from '../command.js';
import { versionHelp } from '../help/version.js';

export const versionCommand = defineCommand({
  path: ['version'],
  help: versionHelp,
  options: {},
  run: ({ out }) => {
    const { version, buildDate, gitCommit } = buildInfo();
    out.line(`Version:      ${version}`);
    out.line(`Build date:   ${buildDate}`);
    out.line(`Git commit:   ${gitCommit}`);
    return 0;
  },
});
