import { CalicoError, runProgram } from '../base/index.js';
import { netnsPath } from './namespaces.js';
import type { ProbeResult } from './probe.js';
import { serveInside } from './serve.js';

export interface ConnectRequest {
  readonly node: string;
  readonly program: string;
  readonly fromNetns: string;
  readonly toNetns: string;
  readonly address: string;
  readonly service: string;
  readonly timeoutMs: number;
}

/** One real connection between two places of the lab: the far end is made to answer first. */
export async function connectInLab(request: ConnectRequest): Promise<ProbeResult> {
  const { node, program, fromNetns, toNetns, address, service, timeoutMs } = request;
  await serveInside({ node, program, netns: toNetns, service });
  const result = await runProgram('nsenter', [
    `--net=${netnsPath(fromNetns)}`,
    node,
    program,
    'ask',
    service,
    address,
    String(timeoutMs),
  ]);
  if (result.exitCode !== 0)
    throw new CalicoError('unavailable', `probe from ${fromNetns}: ${result.stderr.trim()}`);
  // Printed by our own probe program.
  return JSON.parse(result.stdout) as ProbeResult;
}
