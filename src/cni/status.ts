import { isCalicoError } from '../base/index.js';
import { addressSource } from './addresses.js';
import type { Operation } from './addresses.js';
import { CniError, asCniError, cniCode } from './errors.js';
import type { CniParts } from './parts.js';

/**
 * STATUS: an ADD would find the datastore, and an address of each family that is asked for. Else code 50, or
 * what another IPAM plugin answers.
 */
export async function expectReady(parts: CniParts, of: Pick<Operation, 'request' | 'config'>): Promise<void> {
  try {
    await parts.client.list('node', { name: parts.node });
    await addressSource(parts, of.config).expectReady(of);
  } catch (error) {
    if (error instanceof CniError) throw error;
    const hint = isCalicoError(error, 'unavailable') ? 'the datastore does not answer: ' : '';
    const { message } = asCniError(error);
    throw new CniError(cniCode.notAvailable, `${hint}${message}`, { cause: error });
  }
}
