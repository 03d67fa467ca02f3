import { readdirSync, readFileSync } from 'node:fs';

/** What this thread and the kernel on its behalf have used of one processor, in microseconds since some moment. */
export type CpuTime = () => number;

const CLOCK_THREAD_CPUTIME_ID = 3;

/** The kernel's thread that takes over received packets when the processor is wanted by others. */
function packetThread(cpu: number): string | undefined {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .find(pid => {
      try {
        return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === `ksoftirqd/${String(cpu)}`;
      } catch {
        return false;
      }
    });
}

/** Microseconds that the main thread of a process has been on a processor: under load, what can be compared. */
export function threadTime(pid: number | string): number {
  // The first number is nanoseconds.
  return Number(readFileSync(`/proc/${String(pid)}/schedstat`, 'utf8').split(' ')[0]) / 1e3;
}

/**
 * Binds this thread to one processor and tells what it uses of it. `process.threadCpuUsage` would not do: between
 * two ticks of the kernel's clock (4 ms) it stands still.
 */
export async function oneCpu(cpu: number): Promise<CpuTime> {
  const { default: koffi } = await import('koffi');
  const library = koffi.load(null);
  const getTime = library.func('int clock_gettime(int, void *)');
  const setAffinity = library.func('int sched_setaffinity(int, size_t, void *)');
  const mask = BigUint64Array.of(1n << BigInt(cpu));
  if (setAffinity(0, mask.byteLength, mask) !== 0) throw new Error(`cannot run on processor ${String(cpu)}`);
  const pid = packetThread(cpu);
  const time = new BigInt64Array(2);
  const [seconds, nanoseconds] = [() => Number(time[0]), () => Number(time[1])];
  return () => {
    getTime(CLOCK_THREAD_CPUTIME_ID, time);
    const taken = pid === undefined ? 0 : threadTime(pid);
    return seconds() * 1e6 + nanoseconds() / 1e3 + taken;
  };
}
