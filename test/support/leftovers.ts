import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LeftoverProcess {
  readonly pid: number;
  readonly command: string;
}

/** How long monitors and network processes may take to end after the last command. */
const PATIENCE_MS = 10_000;

/** Processes that have to do with a directory and do not end by themselves. */
export async function findProcesses(directory: string): Promise<LeftoverProcess[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const found = listProcesses(directory);
    if (found.length === 0 || performance.now() > deadline) return found;
    await sleep(20);
  }
}

/** Kills them, so that one test's failure is not the next one's. */
export async function endProcesses(processes: readonly LeftoverProcess[]): Promise<void> {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      // ESRCH: gone meanwhile. EPERM: not ours after all (its id was used again).
      if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  if (processes.length > 0) await sleep(100);
}

function listProcesses(directory: string): LeftoverProcess[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && mentions(pid, directory))
    .map((pid) => ({ pid, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() }));
}

// The command line of everybody is readable; the environment and the mounts (a container's own root has
// its upper directory in /proc/PID/mountinfo) where we may trace the process, as with our own containers.
function mentions(pid: number, directory: string): boolean {
  return (
    ['cmdline', 'environ', 'mountinfo'].some((name) => readProc(pid, name).includes(directory)) ||
    workingDirectory(pid).startsWith(directory)
  );
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return ''; // Ended meanwhile, or somebody else's.
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // As above; a kernel thread has none.
  }
}
