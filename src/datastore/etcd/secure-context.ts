import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { CalicoError, messageOf } from '../../base/index.js';
import type { EtcdConfig, Pem } from './config.js';

/** The certificates of the configuration, read and understood, or `invalid` with the setting that is wrong. */
export async function secureContext({ ca, cert, key }: EtcdConfig): Promise<SecureContext> {
  if ((cert === undefined) !== (key === undefined)) {
    const [given, missing] =
      key === undefined ? ['ETCD_CERT_FILE', 'ETCD_KEY_FILE'] : ['ETCD_KEY_FILE', 'ETCD_CERT_FILE'];
    throw new CalicoError('invalid', `datastore: ${given} is set without ${missing}; set both or none`);
  }
  const texts = {
    ca: await read(ca, 'ETCD_CA_CERT_FILE'),
    cert: await read(cert, 'ETCD_CERT_FILE'),
    key: await read(key, 'ETCD_KEY_FILE'),
  };
  try {
    return createSecureContext({ ...texts, minVersion: 'TLSv1.2' });
  } catch (error) {
    throw new CalicoError(
      'invalid',
      `datastore: ${messageOf(error)}; check that ETCD_CA_CERT_FILE, ETCD_CERT_FILE and ETCD_KEY_FILE are whole ` +
        'and that certificate and key belong together',
      { cause: error },
    );
  }
}

async function read(pem: Pem | undefined, setting: string): Promise<string | undefined> {
  if (pem === undefined) return undefined;
  const text = 'text' in pem ? pem.text : await readPemFile(pem.file, setting);
  if (!text.includes('-----BEGIN ')) {
    // The runtime would take it for no certificate at all.
    const where = 'text' in pem ? 'the text' : pem.file;
    throw new CalicoError('invalid', `datastore: ${where} is not in PEM form; check ${setting}`);
  }
  return text;
}

async function readPemFile(path: string, setting: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new CalicoError('invalid', `datastore: ${messageOf(error)}; check ${setting}`, { cause: error });
  }
}
