import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger, systemClock } from '../../src/base/index.js';
import type { Logger } from '../../src/base/index.js';
import { createBird } from '../../src/bgp/index.js';
import type { BgpDaemon, BirdOptions } from '../../src/bgp/index.js';
import { createTestNet, eventually } from '../support/netns.js';
import type { TestNet } from '../support/netns.js';

const CONFIG = 'router id 10.0.0.1;\nprotocol device { scan time 2; }\n';

describe('the care for a BIRD', () => {
  let net: TestNet;
  let folder: string;
  let said: string[];
  const cares: BgpDaemon[] = [];

  beforeEach(async () => {
    net = createTestNet();
    await net.add('host');
    folder = mkdtempSync(join(tmpdir(), 'calico-bird-'));
    said = [];
  });

  afterEach(async () => {
    await Promise.allSettled(cares.splice(0).map(async daemon => await daemon.stop({ graceful: false })));
    await net.remove();
    rmSync(folder, { recursive: true });
  });

  function care(change: Partial<BirdOptions> = {}): BgpDaemon {
    const note = (message: string): void => void said.push(message);
    const log: Logger = { ...silentLogger, warn: note, error: note };
    const daemon = createBird({
      runDir: join(folder, 'run'),
      logDir: join(folder, 'log'),
      launchPrefix: ['nsenter', `--net=${net.path('host')}`, '--'],
      hasBirdRoutes: () => false,
      log,
      clock: systemClock,
      ...change,
    });
    cares.push(daemon);
    return daemon;
  }

  function modeOf(...path: readonly string[]): string {
    return (statSync(join(folder, ...path)).mode & 0o777).toString(8);
  }

  test('leaves no file that others may read', async () => {
    await care().apply(CONFIG);
    const modes = ['bird.conf', 'bird.ctl', ''].map(name => modeOf('run', name));
    expect([...modes, modeOf('log'), modeOf('log', 'bird.log')]).toEqual(['600', '600', '700', '700', '600']);
  });

  test('takes many changes at once for one, and does nothing for an equal one', async () => {
    const daemon = care();
    const texts = Array.from({ length: 20 }, (_, i) => `${CONFIG}protocol static s${String(i)} { ipv4; }\n`);
    await Promise.all(texts.map(async text => await daemon.apply(text)));
    const written = statSync(join(folder, 'run', 'bird.conf'));
    await daemon.apply(texts.at(-1) ?? '');
    expect(statSync(join(folder, 'run', 'bird.conf'))).toEqual(written);
  });

  test('says one time that a configuration is refused', async () => {
    const daemon = care();
    for (let i = 0; i < 3; i++) {
      await expect(daemon.apply('nonsense;\n')).rejects.toMatchObject({ code: 'invalid' });
    }
    expect(said).toHaveLength(1);
    expect(said[0]).toMatch(
      /^BIRD refuses its new configuration, the old one stays: .*bird\.conf\.refused:2/,
    );
    expect(daemon.pid()).toBeUndefined();
    await daemon.apply(CONFIG);
    expect(daemon.pid()).toBeGreaterThan(1);
  });

  test('says what is missing when there is no BIRD', async () => {
    const birdProgram = join(folder, 'no-bird');
    const applied = care({ birdProgram }).apply(CONFIG);
    await expect(applied).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('no-bird'),
    });
  });

  test('says why a daemon ends as soon as it is started', async () => {
    // It finds every configuration right, and then cannot run.
    const birdProgram = join(folder, 'broken-bird');
    writeFileSync(birdProgram, '#!/bin/sh\n[ "$1" = -p ] && exit 0\necho "no such device" >&2\nexit 3\n');
    chmodSync(birdProgram, 0o700);
    const applied = care({ birdProgram }).apply(CONFIG);
    await expect(applied).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/exit 3: no such device$/),
    });
  });

  test('brings a daemon back that is killed again and again, each time a little later', async () => {
    const daemon = care();
    await daemon.apply(CONFIG);
    for (let i = 0; i < 3; i++) {
      const pid = daemon.pid();
      if (pid === undefined) throw new Error('no BIRD runs');
      process.kill(pid, 'SIGKILL');
      await eventually('another one runs', () => ![pid, undefined].includes(daemon.pid()));
      await eventually(
        'it answers',
        async () =>
          await daemon.status().then(
            () => true,
            () => false,
          ),
      );
    }
    expect(said.filter(text => text.includes('BIRD is gone'))).toHaveLength(3);
  });

  test('replaces a daemon whose control socket is lost', async () => {
    const daemon = care();
    await daemon.apply(CONFIG);
    const pid = daemon.pid();
    await daemon.close();
    rmSync(join(folder, 'run', 'bird.ctl'));
    const next = care();
    await next.apply(CONFIG);
    expect(next.pid()).not.toBe(pid);
    expect(said).toEqual(['BIRD runs without its control socket: replacing it']);
  });
});
