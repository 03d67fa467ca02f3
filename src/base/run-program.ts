import { CalicoError } from './errors.js';

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  /** Written to standard input, which is then closed. */
  readonly input?: string;
  /** Added to the environment; LC_ALL=C is always set, so that answers can be parsed. */
  readonly env?: Readonly<Record<string, string>>;
  /** Killed after this long; the call then fails with `unavailable`. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** Runs a program with an argument array (never a shell) and returns what it said, whatever its exit code. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { input, env, timeoutMs = 30_000, signal } = options;
  const said = [program, ...args].join(' ');
  // An import would load what runs programs, and sockets with it, for commands that run none.
  const { spawn } = process.getBuiltinModule('node:child_process');
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...env, LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new CalicoError('unavailable', `${said}: no answer within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', error => {
      clearTimeout(timer);
      reject(new CalicoError('unavailable', `${said}: ${error.message}`, { cause: error }));
    });
    child.on('close', (code, killedBy) => {
      clearTimeout(timer);
      resolve({
        exitCode: code ?? 128,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8') + (killedBy === null ? '' : `killed by ${killedBy}`),
      });
    });
    // A program that ends before it has read its input closes the pipe: its exit code tells the story.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input ?? '');
  });
}

/** As runProgram, but a non-zero exit is a CalicoError that carries the command and what it complained of. */
export async function runChecked(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<string> {
  const result = await runProgram(program, args, options);
  if (result.exitCode !== 0) {
    const complaint = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(0, 5).join('; ');
    throw new CalicoError(
      'unavailable',
      `${[program, ...args].join(' ')}: exit ${String(result.exitCode)}: ${complaint}`,
    );
  }
  return result.stdout;
}
