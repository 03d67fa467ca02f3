import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../base/index.js';
import type { Logger } from '../../base/index.js';
import type { ClusterEvent } from '../../datastore/index.js';
import { FelixSettings, localValues, readLocalSettings } from './felix-settings.js';
import type { LocalSettings } from './felix-settings.js';
import type { FelixConfig } from './parameters.js';

const nothing: LocalSettings = { environment: new Map(), file: new Map(), problems: [] };

function event(values: Readonly<Record<string, string | undefined>>, node?: string): ClusterEvent {
  const changes = Object.entries(values).map(([name, value]) => {
    const setting =
      node === undefined
        ? { component: 'felix' as const, name }
        : { component: 'felix' as const, node, name };
    return { kind: 'setting' as const, setting, value };
  });
  return { revision: 1, inSync: false, changes };
}

const inSync: ClusterEvent = { revision: 1, inSync: true, changes: [] };

describe('the configuration in force', () => {
  test('follows the datastore, host before cluster, and tells its followers of differences only', async () => {
    const settings = new FelixSettings({ local: nothing, node: 'here', log: silentLogger });
    const seen: FelixConfig['endpointToHostAction'][] = [];
    await settings.follow(config => void seen.push(config.endpointToHostAction));
    await settings.handle(event({ DefaultEndpointToHostAction: 'ACCEPT' }));
    await settings.handle(event({ defaultendpointtohostaction: 'accept' }));
    await settings.handle(event({ DefaultEndpointToHostAction: 'RETURN' }, 'here'));
    await settings.handle(event({ DefaultEndpointToHostAction: 'DROP' }, 'elsewhere'));
    await settings.handle(event({ DefaultEndpointToHostAction: undefined }, 'here'));
    expect(seen).toEqual(['drop', 'accept', 'return', 'accept']);
    expect(settings.describe()).toEqual({
      DefaultEndpointToHostAction: { value: 'ACCEPT', from: 'datastore, global' },
    });
  });

  test('keeps the last value when a new one cannot be read, and says so once', async () => {
    const lines: string[] = [];
    const log: Logger = { ...silentLogger, warn: message => void lines.push(message) };
    const settings = new FelixSettings({ local: nothing, node: 'here', log });
    await settings.handle(event({ HealthPort: '1234' }));
    await settings.handle(event({ HealthPort: 'many' }));
    await settings.handle(event({ HealthEnabled: 'true' }));
    expect(settings.values).toMatchObject({ healthPort: 1234, healthEnabled: true });
    expect(lines).toEqual([
      "configuration: HealthPort in datastore, global is 'many': expected a port from 1 to 65535; using 1234",
    ]);
  });

  test('takes what needs a restart from the first listing, and later leaves it for the next start', async () => {
    const settings = new FelixSettings({ local: nothing, node: 'here', log: silentLogger });
    await settings.handle({ ...event({ InterfacePrefix: 'tap' }), inSync: true });
    expect(settings.values.interfacePrefixes).toEqual(['tap']);
    await settings.handle(event({ InterfacePrefix: 'veth' }));
    expect(settings.values.interfacePrefixes).toEqual(['tap']);
    expect(settings.problems).toEqual(['InterfacePrefix becomes veth at the next start']);
    await settings.handle(event({ InterfacePrefix: 'tap' }));
    expect(settings.problems).toEqual([]);
  });

  test('is in force with the others when one who follows it fails', async () => {
    const settings = new FelixSettings({ local: nothing, node: 'here', log: silentLogger });
    const seen: number[] = [];
    let isBroken = false;
    await settings.follow(() => {
      if (isBroken) throw new Error('cannot');
    });
    await settings.follow(config => void seen.push(config.healthPort));
    isBroken = true;
    await settings.handle(event({ HealthPort: '5' }));
    await settings.handle(inSync);
    expect(seen).toEqual([9099, 5]);
  });

  test('is refused at the start with every local value that is dangerously wrong', () => {
    const environment = new Map([
      ['INTERFACEPREFIX', '%'],
      ['FAILSAFEINBOUNDHOSTPORTS', 'ssh'],
    ]);
    const start = (): unknown =>
      new FelixSettings({ local: { ...nothing, environment }, node: 'here', log: silentLogger });
    expect(start).toThrow(/^InterfacePrefix in environment is '%'.*\nFailsafeInboundHostPorts/);
  });
});

describe('what counts on this host alone', () => {
  test('comes from variables with FELIX_ in any case and from the file, which may be missing', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calico-felix-'));
    const path = join(directory, 'felix.cfg');
    try {
      const env = {
        FELIX_HEALTHPORT: '1',
        felix_LogSeverityScreen: 'ERROR',
        OTHER: 'x',
        CALICO_LOG_LEVEL: 'debug',
      };
      expect(await readLocalSettings(env, path)).toEqual({
        environment: new Map([
          ['HEALTHPORT', '1'],
          ['LogSeverityScreen', 'ERROR'],
        ]),
        file: new Map(),
        problems: [],
      });
      await writeFile(path, 'FelixHostname = db-1\nnonsense\n');
      const local = await readLocalSettings({ CALICO_LOG_LEVEL: 'debug' }, path);
      expect(local.environment).toEqual(new Map([['LogSeverityScreen', 'debug']]));
      expect(local.problems).toEqual([`${path}: line 2 is not of the form Name = value`]);
      expect(localValues(local).hostname).toBe('db-1');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});
