import * as fs from 'node:fs';
import { hasCode } from '../base/error.ts';
import { sleep } from '../base/sleep.ts';
import type { Directories } from '../rootless/directories.ts';
import { readState, runDirectory } from './state.ts';

/**
 * Ends a start that began just before the container was removed: its monitor holds the lock or has
 * just written its state. Called once the container's directory has its name in the trash: a start
 * that writes its state later looks for the directory then, and ends by itself (box_monitor.c).
 */
export async function endUnseenStart(directories: Directories, id: string): Promise<void> {
  const deadline = performance.now() + 5000;
  for (;;) {
    const { monitorPid } = readState(directories, id);
    const holder =
      monitorPid > 0 ? monitorPid : lockHolder(`${runDirectory(directories, id)}/monitor.lock`);
    if (holder === undefined || performance.now() > deadline) return;
    try {
      // The container dies with it (PR_SET_PDEATHSIG).
      process.kill(holder, 'SIGKILL');
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
    await sleep(5);
  }
}

/** Who holds a flock(2), by proc_locks(5): `1: FLOCK ADVISORY WRITE 4711 fe:01:99 0 EOF`. */
function lockHolder(path: string): number | undefined {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  for (const line of fs.readFileSync('/proc/locks', 'latin1').split('\n')) {
    const [, pid, inode] =
      /FLOCK +ADVISORY +WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
    if (inode === String(stat.ino) && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
