import { readIfExists } from './file.ts';

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/PID/stat, proc_pid_stat(5));
 * undefined when it is gone, or dead and only its parent has not noticed. With the pid it names one
 * process while the machine is up.
 */
export function startTimeOf(pid: number): string | undefined {
  const stat = readStat(pid);
  // The command's name is in parentheses and may itself hold spaces and parentheses.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}

function readStat(pid: number): string | undefined {
  try {
    return readIfExists(`/proc/${pid}/stat`);
  } catch {
    // ESRCH: it ended between open and read.
    return undefined;
  }
}

/** True when process `pid` is the very one that started at `startTime`. */
export function isAlive(pid: number, startTime: string): boolean {
  return pid > 0 && startTimeOf(pid) === startTime;
}

let bootID: string | undefined;

/** Which boot this is: pids recorded under another are dead whatever they are now. */
export function currentBootID(): string {
  bootID ??= (readIfExists('/proc/sys/kernel/random/boot_id') ?? '').trim();
  return bootID;
}

/** As uname(2) has it; node:os takes a quarter of a millisecond to load. */
export function kernelRelease(): string {
  return (readIfExists('/proc/sys/kernel/osrelease') ?? '').trim();
}
