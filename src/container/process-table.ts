import { readFileSync } from 'node:fs';

/**
 * When a process started, in clock ticks since boot (field 22 of /proc/PID/stat, proc_pid_stat(5));
 * undefined when there is no such process or only its zombie. A pid alone may have been reused;
 * with this number, and the boot, it names one process for ever.
 */
export function startTimeOf(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // ENOENT, or ESRCH between open and read: gone, which is the answer.
    return undefined;
  }
  // The command's name is in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  return state === 'Z' || state === 'X' ? undefined : fields[19];
}

/** True when process `pid` is the very one that started at `startTime`. */
export function isAlive(pid: number, startTime: string): boolean {
  return pid > 0 && startTimeOf(pid) === startTime;
}

let bootID: string | undefined;

/** Which boot this is: pids recorded under another are dead whatever they are now. */
export function currentBootID(): string {
  bootID ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return bootID;
}
