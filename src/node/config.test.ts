import { describe, expect, test } from 'vitest';
import { readAgentConfig } from './config.js';

describe('the configuration of the agent', () => {
  test('is complete without any variable', () => {
    expect(readAgentConfig({}, 'host-a')).toMatchObject({
      nodeName: 'host-a',
      stateDir: '/var/lib/calico',
      store: { type: 'sqlite', directory: '/var/lib/calico/store' },
      backend: 'bird',
    });
  });

  test('takes a variable that is set but empty as not set', () => {
    expect(readAgentConfig({ NODENAME: '', IP: '' }, 'host-a')).toMatchObject({
      nodeName: 'host-a',
      ipv4: undefined,
    });
  });

  test('normalises addresses and AS numbers', () => {
    const config = readAgentConfig(
      {
        IP6: 'FD00:0::1',
        AS: '1.10',
      },
      'host-a',
    );
    expect(config).toMatchObject({
      ipv6: 'fd00::1',
      asNumber: 65_546,
    });
  });

  test('says everything that is wrong at once, with name, value and expectation', () => {
    const read = (): unknown =>
      readAgentConfig({ IP: 'aa::1', AS: 'x', CALICO_NETWORKING_BACKEND: 'ospf' }, 'h');
    expect(read).toThrow(/IP='aa::1': expected an IPv4 address or autodetect/);
    expect(read).toThrow(/AS='x': expected an AS number/);
    expect(read).toThrow(/CALICO_NETWORKING_BACKEND='ospf': expected one of bird, none/);
  });
});
