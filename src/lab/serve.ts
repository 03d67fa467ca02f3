import { spawn } from 'node:child_process';
import { CalicoError } from '../base/index.js';
import { DAEMON_PATH } from './daemon.js';
import { netnsPath } from './namespaces.js';

export interface ServiceRequest {
  /** the Node runtime and the probe program */
  readonly node: string;
  readonly program: string;
  readonly netns: string;
  readonly service: string;
}

/**
 * Makes something answer on the service inside the namespace, until the lab goes down. When something answers
 * there already, that is fine too.
 */
export async function serveInside(request: ServiceRequest): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(
      'nsenter',
      [`--net=${netnsPath(request.netns)}`, request.node, request.program, 'answer', request.service],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: DAEMON_PATH } },
    );
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.once('error', reject);
    // Not at its exit: what it said last may still be on the way.
    child.once('close', () => {
      if (said.includes('EADDRINUSE')) resolve();
      else
        reject(
          new CalicoError(
            'unavailable',
            `cannot serve ${request.service} in ${request.netns}: ${said.trim()}`,
          ),
        );
    });
    // One line on standard output says that it listens.
    child.stdout.once('data', () => {
      child.stdout.destroy();
      child.stderr.destroy();
      child.removeAllListeners('close');
      child.unref();
      resolve();
    });
  });
}
