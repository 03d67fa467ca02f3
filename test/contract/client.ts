import { afterEach, beforeEach, describe } from 'vitest';
import type { ResourceClient } from '../../src/datastore/index.js';
import { clientReadContract } from './client-read.js';
import { clientWatchContract } from './client-watch.js';
import { clientWriteContract } from './client-write.js';

/** A client on an empty datastore that lives as long as one test. */
export interface ClientUnderTest {
  readonly client: ResourceClient;
  dispose(): Promise<void>;
}

export interface ClientContractOptions {
  readonly name: string;
  readonly create: () => Promise<ClientUnderTest>;
}

/** The suite that every resource client must pass, whether its datastore has keys or not. */
export function runClientContract({ name, create }: ClientContractOptions): void {
  describe(`${name} keeps the contract of a resource client`, () => {
    let underTest: ClientUnderTest;
    beforeEach(async () => {
      underTest = await create();
    });
    afterEach(async () => {
      await underTest.dispose();
    });
    const client = (): ResourceClient => underTest.client;
    describe('reading', () => {
      clientReadContract(client);
    });
    describe('writing', () => {
      clientWriteContract(client);
    });
    describe('watching', () => {
      clientWatchContract(client);
    });
  });
}
