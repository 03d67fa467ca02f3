import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runProgram } from '../../src/base/index.js';
import { configHelp } from '../../src/cli/help/config.js';
import { topLevelHelp } from '../../src/cli/help/top-level.js';
import { usageSection } from '../../src/cli/grammar/index.js';
import { getHelp } from '../../src/cli/help/get.js';
import { builtCalicoctl } from './program.js';
import type { Calicoctl } from './program.js';

const root = new URL('../..', import.meta.url);
let calicoctl: Calicoctl;

beforeAll(async () => {
  calicoctl = await builtCalicoctl();
});
afterAll(() => calicoctl.remove());

describe('calicoctl', () => {
  test('prints the version that was baked in, on three lines', async () => {
    const out = 'Version:      v9.8.7\nBuild date:   2026-11-25T00:00:00+0000\nGit commit:   ca6cd25f\n';
    expect(await calicoctl.run(['version'])).toEqual({ code: 0, out, err: '' });
    expect((await calicoctl.run(['--version'])).out).toBe('calicoctl version v9.8.7, build ca6cd25f\n');
  });

  test('starts a short command without SQLite and the streams of Node', async () => {
    const listing = `data:text/javascript,process.on('exit',()=>console.error(process.moduleLoadList.join()))`;
    const { code, err } = await calicoctl.run(['version'], { nodeArguments: ['--import', listing] });
    expect(code).toBe(0);
    expect(err).not.toMatch(/NativeModule (sqlite|tty)\b/);
  });

  test('prints its help, the original first, the commands it adds last', async () => {
    for (const args of [['--help'], ['-h'], ['-h', 'get'], ['-l', 'debug', '--help']]) {
      const { code, out, err } = await calicoctl.run(args);
      expect([code, err]).toEqual([0, '']);
      expect(out.startsWith(topLevelHelp)).toBe(true);
      expect(out).toContain('\n    why ');
    }
  });

  test('without a command prints its usage on standard error and fails', async () => {
    expect(await calicoctl.run([])).toEqual({ code: 1, out: '', err: `${usageSection(topLevelHelp)}\n` });
  });

  test('names an unknown command on standard error and the nearest one, and prints its help', async () => {
    const { code, out, err } = await calicoctl.run(['aply', '-f', 'x']);
    expect([code, err]).toEqual([1, 'Unknown command: "aply"\nDid you mean "apply"?\n']);
    expect(out.startsWith(topLevelHelp)).toBe(true);
    expect((await calicoctl.run(['frobnicate'])).err).toBe('Unknown command: "frobnicate"\n');
  });

  test('names the nearest option, command of a group and format for a mistyped one', async () => {
    const errOf = async (...args: readonly string[]): Promise<string> => (await calicoctl.run(args)).err;
    expect(await errOf('get', 'pol', '--ouptut', 'json')).toMatch(
      /^--ouptut is no option; did you mean --output\?\nUsage:\n/,
    );
    expect(await errOf('get', 'pol', '--frobnicate')).toMatch(/^Usage:\n/);
    expect(await errOf('ipam', 'shw')).toBe('Did you mean "ipam show"?\n');
    expect((await calicoctl.run(['get', 'pol', '-o', 'jsn'])).out).toBe(
      "unrecognized output format 'jsn' (did you mean 'json'?)\n",
    );
  });

  test('lists the commands that it adds in lines of at most 80 columns', async () => {
    const { out } = await calicoctl.run(['--help']);
    const added = out.slice(out.indexOf('More commands:')).split('\n').slice(1, -1);
    for (const line of added) expect(line).toMatch(/^(?=.{1,80}$) {4}(?:[a-z]{1,10} {2,10}| {12})\S/);
  });

  test('prints usage on standard error and the typed words on standard output when a command is misused', async () => {
    const usage = `${usageSection(getHelp)}\n`;
    const said = (words: string): string =>
      `Invalid option: 'calicoctl ${words}'. Use flag '--help' to read about a specific subcommand.\n`;
    expect(await calicoctl.run(['get'])).toEqual({ code: 1, out: said('get'), err: usage });
    expect(await calicoctl.run(['get', 'a', 'b', 'c'])).toEqual({
      code: 1,
      out: said('get a b c'),
      err: usage,
    });
    expect(await calicoctl.run(['get', 'a', '-o'])).toEqual({
      code: 1,
      out: said('get a -o'),
      err: `-o requires argument\n${usage}`,
    });
  });

  test('refuses an unknown log level in two lines', async () => {
    expect(await calicoctl.run(['-l', 'loud', 'version'])).toEqual({
      code: 1,
      out: 'Unknown log level: loud, expected one of: \npanic, fatal, error, warn, info, debug.\n',
      err: '',
    });
    expect((await calicoctl.run(['--log-level=WARNING', 'version'])).code).toBe(0);
  });

  test.each([
    ['create'],
    ['replace'],
    ['apply'],
    ['delete'],
    ['get'],
    ['config'],
    ['version'],
    ['why'],
    ['ipam'],
    ['node'],
  ])('prints the help of %s on standard output without a datastore', async command => {
    const { code, out, err } = await calicoctl.run([command, '-h'], {
      env: { CALICO_STATE_DIR: '/proc/no' },
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain(`\n  calicoctl ${command} `.replace('version ', 'version'));
    expect(out).toMatch(/Usage:\n {2}calicoctl /);
    expect(out).toMatch(/\n\nDescription:\n/);
  });

  test('prints the help of a group for an unknown command in it, and fails', async () => {
    for (const group of ['ipam', 'node', 'lab']) {
      const help = await calicoctl.run([group, '--help']);
      expect(await calicoctl.run([group, 'nothing'])).toEqual({ code: 1, out: help.out, err: '' });
    }
  });

  test('ends quietly when the reader of its output goes away', async () => {
    const child = spawn(process.execPath, [calicoctl.program, '--help'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    const err: Buffer[] = [];
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const code = await new Promise(resolve => child.on('close', resolve));
    expect([code, Buffer.concat(err).toString()]).toEqual([0, '']);
  });

  // Only where the tree has been built, as CI and scripts/test do before the tests.
  test.runIf(existsSync(new URL('dist/calicoctl.js', root)))('runs from bin/calicoctl', async () => {
    const { exitCode, stdout } = await runProgram(new URL('bin/calicoctl', root).pathname, ['version']);
    expect([exitCode, stdout.split('\n')[0]]).toEqual([0, expect.stringMatching(/^Version: {6}v\S+$/)]);
  });
});

describe('the help of config', () => {
  test('is the original text', () => {
    expect(configHelp).toContain(
      ' ipip            | global      | on,off                                 |\n',
    );
    expect(
      configHelp.startsWith(
        'Set the Calico datastore access information in the environment variables or\nor supply',
      ),
    ).toBe(true);
  });
});
