import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runChecked } from '../../../src/base/index.js';

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Certificates for tests, in files that `dispose` removes. */
export interface Certificates {
  /** Of a new authority of its own. */
  authority(name: string): Promise<KeyPair>;
  /** For a server at 127.0.0.1, or for a client of the name. */
  issue(name: string, by: KeyPair): Promise<KeyPair>;
  dispose(): Promise<void>;
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'calico-certs-'));
  const file = (name: string): string => join(directory, name);
  const pair = (name: string): KeyPair => ({ cert: file(`${name}.crt`), key: file(`${name}.key`) });
  const openssl = async (...args: readonly string[]): Promise<void> => {
    await runChecked('openssl', args);
  };
  return {
    authority: async name => {
      const { cert, key } = pair(name);
      await openssl('req', '-x509', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert);
      return { cert, key };
    },
    issue: async (name, by) => {
      const { cert, key } = pair(name);
      const [request, extensions] = [file(`${name}.csr`), file(`${name}.ext`)];
      await writeFile(extensions, 'subjectAltName=IP:127.0.0.1\n');
      await openssl('req', ...newKey, '-subj', `/CN=${name}`, '-keyout', key, '-out', request);
      const signed = ['-in', request, '-CA', by.cert, '-CAkey', by.key, '-CAcreateserial', '-out', cert];
      await openssl('x509', '-req', ...signed, '-extfile', extensions);
      return { cert, key };
    },
    dispose: async () => await rm(directory, { recursive: true }),
  };
}
