import { describe, expect, test } from 'vitest';
import { readTopology } from './topology.js';

describe('a topology file', () => {
  test('names hosts, their workloads and the labels of these', () => {
    const value = {
      hosts: [{ name: 'a', workloads: [{ name: 'web', labels: { app: 'web', tier: 1 } }] }, { name: 'b' }],
    };
    expect(readTopology(value)).toEqual({
      hosts: [
        { name: 'a', workloads: [{ name: 'web', labels: { app: 'web', tier: '1' } }] },
        { name: 'b', workloads: [] },
      ],
    });
  });

  test('is refused with the place, the value and the expectation of each fault', () => {
    const value = { hosts: [{ nam: 'a', workloads: [{ name: 3, labels: { x: {} } }] }] };
    const read = (): unknown => readTopology(value);
    expect(read).toThrow('hosts[0].nam is "a": expected one of the fields name, workloads');
    expect(read).toThrow('hosts[0].name is nothing: expected a name');
    expect(read).toThrow('hosts[0].workloads[0].name is 3: expected a name');
    expect(read).toThrow('hosts[0].workloads[0].labels.x is {}: expected a text');
    expect(() => readTopology(null)).toThrow('topology is null: expected a map');
  });
});
