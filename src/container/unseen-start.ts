import { hasCode } from '../base/error.ts';
import { flockHolder } from '../base/flock.ts';
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
      monitorPid > 0 ? monitorPid : flockHolder(`${runDirectory(directories, id)}/monitor.lock`);
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
