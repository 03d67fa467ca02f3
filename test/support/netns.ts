import { randomBytes } from 'node:crypto';
import { runChecked, runProgram } from '../../src/base/index.js';
import type { ProgramResult } from '../../src/base/index.js';

/** Network namespaces for one test: all traffic of tests stays in such. */
export interface TestNet {
  /** Makes a namespace, with its loopback up and no other link, and returns its path. */
  add(name: string): Promise<string>;
  /** The path of a namespace made here. */
  path(name: string): string;
  /** Runs a program in a namespace (`nsenter`, so /sys stays); fails with what it said. */
  run(name: string, program: string, ...args: readonly string[]): Promise<string>;
  /** As run, with whatever exit code. */
  try(name: string, program: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** As try, with something to read on its standard input. */
  feed(name: string, input: string, program: string, ...args: readonly string[]): Promise<ProgramResult>;
  /** `ip -j -d …` in a namespace, parsed. */
  ipJson(name: string, ...args: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Removes all namespaces, and with them whatever is in them. */
  remove(): Promise<void>;
}

/** Call `remove` in afterAll or afterEach. Names are unique to this process and call. */
export function createTestNet(): TestNet {
  const prefix = `calt-${String(process.pid)}-${randomBytes(3).toString('hex')}`;
  const made = new Set<string>();
  const path = (name: string): string => `/run/netns/${prefix}-${name}`;
  const inside = (name: string, program: string, args: readonly string[]): readonly string[] => [
    `--net=${path(name)}`,
    '--',
    program,
    ...args,
  ];
  return {
    path,
    async add(name) {
      await runChecked('ip', ['netns', 'add', `${prefix}-${name}`]);
      made.add(name);
      await runChecked('ip', ['-n', `${prefix}-${name}`, 'link', 'set', 'lo', 'up']);
      return path(name);
    },
    async run(name, program, ...args) {
      return await runChecked('nsenter', inside(name, program, args));
    },
    async try(name, program, ...args) {
      return await runProgram('nsenter', inside(name, program, args));
    },
    async feed(name, input, program, ...args) {
      return await runProgram('nsenter', inside(name, program, args), { input });
    },
    async ipJson(name, ...args) {
      const text = await runChecked('ip', ['-n', `${prefix}-${name}`, '-j', '-d', ...args]);
      // iproute2 prints nothing at all for an empty list; the shape is what the caller asked for.
      return JSON.parse(text.trim() === '' ? '[]' : text) as readonly Readonly<Record<string, unknown>>[];
    },
    async remove() {
      for (const name of made) await runProgram('ip', ['netns', 'del', `${prefix}-${name}`]);
      made.clear();
    },
  };
}

/** How long an answer that must come may take: within what a program has to run. */
export const LATE_ANSWER_MS = 20_000;

/** What `ping` is told for one: it asks again until it has it. */
export const PATIENT_PING: readonly string[] = ['-c', '1', '-w', String(LATE_ANSWER_MS / 1000), '-i', '0.2'];

/** Longer than anything takes on a slow and busy machine, shorter than what the product does only now and then. */
const PATIENCE_MS = 30_000;

/**
 * Asks again until the condition holds; fails with `what` when patience ends. A condition that throws fails at once:
 * what must hold all the time meanwhile is expected inside of it.
 */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const end = performance.now() + patienceMs;
  for (;;) {
    if (await condition()) return;
    if (performance.now() > end)
      throw new Error(`within ${String(patienceMs)} ms it did not happen: ${what}`);
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
