import { access, constants, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { runProgram } from '../base/index.js';
import type { ProgramResult } from '../base/index.js';
import { CniError, cniCode } from './errors.js';
import { ipamError, parseIpamAnswer } from './ipam-answer.js';
import type { IpamAnswer } from './ipam-answer.js';
import { asList, asObject } from './json.js';
import type { CniRequest } from './protocol.js';

/** A plugin that takes longer is killed; DHCP may take a while. */
const limitMs = 45_000;

/** Runs the IPAM plugin `type` for a request as the runtime would run it. Its failures are passed on. */
export interface IpamPlugin {
  add(request: CniRequest): Promise<IpamAnswer>;
  /** A DEL of a plugin that is not there any more is done. */
  del(request: CniRequest): Promise<void>;
  check(request: CniRequest): Promise<void>;
  /** GC and STATUS: only to a plugin that speaks 1.1.0, as others do not know them. */
  runIfKnown(request: CniRequest, command: 'GC' | 'STATUS'): Promise<void>;
}

/** The program of another IPAM plugin, out of the folders of CNI_PATH. */
export function ipamPlugin(type: string): IpamPlugin {
  const run = async (request: CniRequest, command: string): Promise<ProgramResult> =>
    await runPlugin(await findPlugin(type, request.path), request, command);
  const runChecked = async (request: CniRequest, command: string): Promise<string> => {
    const result = await run(request, command);
    if (result.exitCode !== 0) throw ipamError(type, result);
    return result.stdout;
  };
  return {
    add: async request => {
      const first = await run(request, 'ADD');
      if (first.exitCode === 0) return parseIpamAnswer(type, first.stdout);
      // An ADD that a crash cut off left its address with us, and most plugins give no second one.
      await run(request, 'DEL');
      return parseIpamAnswer(type, await runChecked(request, 'ADD'));
    },
    del: async request => {
      if ((await pathOfPlugin(type, request.path)) !== undefined) await runChecked(request, 'DEL');
    },
    check: async request => {
      await runChecked(request, 'CHECK');
    },
    runIfKnown: async (request, command) => {
      const { stdout } = await run({ ...request, stdin: '{"cniVersion":"1.1.0"}' }, 'VERSION');
      if (knows(stdout, '1.1.0')) await runChecked(request, command);
    },
  };
}

async function runPlugin(program: string, request: CniRequest, command: string): Promise<ProgramResult> {
  const env = environmentOf(request, command);
  return await runProgram(program, [], { input: request.stdin, timeoutMs: limitMs, env });
}

function environmentOf(request: CniRequest, command: string): Readonly<Record<string, string>> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: request.containerId,
    CNI_NETNS: request.netns,
    CNI_IFNAME: request.ifName,
    // What an orchestrator adds for us is nothing that the plugin must know.
    CNI_ARGS: request.args === '' ? '' : `IgnoreUnknown=1;${request.args}`,
    CNI_PATH: request.path,
  };
}

async function findPlugin(type: string, path: string): Promise<string> {
  const program = await pathOfPlugin(type, path);
  if (program !== undefined) return program;
  throw new CniError(
    cniCode.badConfiguration,
    `network configuration: ipam.type is "${type}"; failed to find plugin "${type}" in path [${path}]`,
  );
}

async function pathOfPlugin(type: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(':').filter(isAbsolute)) {
    const program = join(folder, type);
    if (await isExecutable(program)) return program;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

function knows(stdout: string, version: string): boolean {
  try {
    return asList(asObject(JSON.parse(stdout))?.['supportedVersions']).includes(version);
  } catch {
    return false;
  }
}
