import { assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layout } from './layout.js';

const endpoint = layout('/host/:node/endpoint/:name');

describe('a layout of keys', () => {
  test('gives back the parts of its own keys, whatever is in them', () => {
    const part = string({ minLength: 1, unit: 'binary' });
    assert(
      property(part, part, (node, name) => {
        const key = endpoint.key({ node, name });
        expect(key.split('/')).toHaveLength(5);
        expect(endpoint.match(key.split('/'))).toEqual({ node, name });
      }),
    );
  });

  test('keeps apart names that look like escapes', () => {
    expect(endpoint.key({ node: 'a/b', name: 'a%2fb' })).toBe('/host/a%2fb/endpoint/a%252fb');
  });

  test.for([
    '/host/n/endpoint',
    '/host/n/endpoint/',
    '/host//endpoint/e',
    '/hosts/n/endpoint/e',
    '/host/n/endpoint/e/',
  ])('does not take %s', key => {
    expect(endpoint.match(key.split('/'))).toBeUndefined();
  });

  test('begins with what is known up to the first part that is not', () => {
    expect(endpoint.prefix({})).toBe('/host/');
    expect(endpoint.prefix({ name: 'e' })).toBe('/host/');
    expect(endpoint.prefix({ node: 'n', name: '' })).toBe('/host/n/endpoint/');
    expect(endpoint.prefix({ node: 'n', name: 'e' })).toBe('/host/n/endpoint/e');
  });
});
