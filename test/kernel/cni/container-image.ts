import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runChecked } from '../../../src/base/index.js';

/** What the containers of these tests run: all of them are busybox. */
const programs = ['sh', 'sleep', 'ping', 'nc', 'cat', 'ip', 'httpd', 'wget'];

/**
 * Makes an image of nothing but busybox, in the format that `podman load` and `ctr images import` read, and
 * returns its path: no registry is asked. It sleeps when nothing else is wanted.
 */
export async function buildImage(directory: string, name: string): Promise<string> {
  const root = join(directory, 'rootfs');
  for (const folder of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'run'])
    mkdirSync(join(root, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const program of programs) symlinkSync('busybox', join(root, 'bin', program));
  const archive = join(directory, 'image');
  mkdirSync(archive);
  await runChecked('tar', ['-C', root, '-cf', join(archive, 'layer.tar'), '.']);
  const layer = createHash('sha256')
    .update(readFileSync(join(archive, 'layer.tar')))
    .digest('hex');
  const config = JSON.stringify({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/sleep', '1000000'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  });
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  writeFileSync(join(archive, 'config.json'), config);
  writeFileSync(join(archive, 'manifest.json'), JSON.stringify(manifest));
  const path = join(directory, 'image.tar');
  await runChecked('tar', ['-C', archive, '-cf', path, 'manifest.json', 'config.json', 'layer.tar']);
  return path;
}
