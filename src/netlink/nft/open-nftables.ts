import { closeSync } from 'node:fs';
import { loadLibc } from '../libc.js';
import { openNetns, warmThreadPool, withNetns } from '../netns.js';
import { createKernel } from '../socket.js';
import { Nftables } from './nftables.js';

/** Loads the FFI and opens nf_tables of a network namespace (a path), by default that of the process. */
export async function openNftables(netns?: string): Promise<Nftables> {
  const [libc] = await Promise.all([loadLibc(), warmThreadPool()]);
  const kernel = createKernel(libc);
  if (netns === undefined) return new Nftables(kernel, use => use());
  return new Nftables(kernel, use => {
    const fd = openNetns(netns);
    try {
      return withNetns(libc, fd, use);
    } finally {
      closeSync(fd);
    }
  });
}
