import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeAnswer, decodeRequest, encodeAnswer, encodeRequest } from './protocol.js';

const text = fc.string({ unit: 'binary' });
const request = fc.record({
  program: fc.constantFrom('calico' as const, 'calico-ipam' as const),
  command: text,
  containerId: text,
  netns: text,
  ifName: text,
  args: text,
  path: text,
  stdin: text,
});

describe('a request on the wire', () => {
  test('is read as it was written, whatever its texts are', () => {
    fc.assert(
      fc.property(request, value => {
        expect(decodeRequest(encodeRequest(value))).toEqual(value);
      }),
    );
  });

  test('that is cut off anywhere is refused', () => {
    fc.assert(
      fc.property(request, fc.nat(), (value, at) => {
        const bytes = encodeRequest(value);
        expect(() => decodeRequest(bytes.subarray(0, at % bytes.length))).toThrow('CNI request');
      }),
    );
  });

  test('with a field of a newer launcher is understood', () => {
    const value = {
      program: 'calico',
      command: 'ADD',
      containerId: 'c',
      netns: '',
      ifName: '',
      args: '',
      path: '/opt/cni/bin',
      stdin: '',
    };
    const bytes = Buffer.concat([
      Buffer.from('FUTURE 1\nx\n'),
      encodeRequest({ ...value, program: 'calico' }),
    ]);
    expect(decodeRequest(bytes)).toEqual(value);
  });
});

describe('an answer on the wire', () => {
  test('is read as it was written, and not at all when it is cut off', () => {
    fc.assert(
      fc.property(fc.nat(255), text, fc.nat(), (exitCode, stdout, at) => {
        const bytes = encodeAnswer({ exitCode, stdout });
        expect(decodeAnswer(bytes)).toEqual({ exitCode, stdout });
        expect(decodeAnswer(bytes.subarray(0, at % bytes.length))).toBeUndefined();
      }),
    );
  });
});
