import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfigFile } from './read-config-file.js';

let file: string;

beforeAll(() => {
  file = join(mkdtempSync(join(tmpdir(), 'calicoctl-config-')), 'calicoctl.cfg');
});
afterAll(() => rmSync(join(file, '..'), { recursive: true }));

async function read(text: string): Promise<unknown> {
  writeFileSync(file, text);
  return await readConfigFile(file);
}

const document = (spec: string): string =>
  `apiVersion: v1\nkind: calicoApiConfig\nmetadata:\nspec: ${spec}\n`;

describe('a configuration file', () => {
  test('gives every setting as a text, under its name in any case', async () => {
    const spec =
      '{datastoretype: etcdv2, etcdEndpoints: "http://a:1,http://b:2", etcdPassword: 0123, etcdUsername: yes}';
    expect(await read(document(spec))).toEqual({
      datastoreType: 'etcdv2',
      etcdEndpoints: 'http://a:1,http://b:2',
      etcdPassword: '0123',
      etcdUsername: 'yes',
    });
    expect(
      await read('{"apiVersion": "v1", "kind": "calicoApiConfig", "metadata": {}, "spec": null}'),
    ).toEqual({});
  });

  test('takes the token under both names that it had', async () => {
    expect(await read(document('{k8sToken: t}'))).toEqual({ k8sAPIToken: 't' });
    expect(await read(document('{k8sToken: t, k8sAPIToken: u}'))).toEqual({ k8sAPIToken: 'u' });
  });

  test.each([
    ['', "invalid config file: unknown APIVersion ''"],
    ['apiVersion: v2', "invalid config file: unknown APIVersion 'v2'"],
    ['apiVersion: v1\nkind: policy', "invalid config file: expected kind 'calicoApiConfig', got 'policy'"],
    ['a: [', 'error parsing document: yaml: line 1: unexpected end of the stream within a flow collection'],
    ['[]', "error parsing document: cannot parse array '[]' into value of type api.CalicoAPIConfig"],
    [
      document('3'),
      "error parsing document: cannot parse number '3' into field CalicoAPIConfig.spec of type api.CalicoAPIConfigSpec",
    ],
    [
      document('{etcdEndpoints: [a]}'),
      `error parsing document: cannot parse array '["a"]' into field CalicoAPIConfigSpec.etcdEndpoints of type string`,
    ],
    [
      document('{etcdEndpoint: a}'),
      'error parsing document: field in document is not recognized or is in the wrong location: etcdEndpoint; did you mean etcdEndpoints?',
    ],
    [
      document('{b: 1, a: 1}'),
      'error parsing document: fields in document are not recognized or are in the wrong location: a, b',
    ],
    [
      document('{etcdScheme: http, etcdscheme: https}'),
      'error parsing document: field in document is not recognized or is in the wrong location: etcdscheme',
    ],
  ])('that is wrong, %j, is told in the words of the original with its name', async (text, message) => {
    await expect(read(text)).rejects.toThrow(`${message} (${file})`);
  });
});
