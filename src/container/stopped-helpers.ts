import * as fs from 'node:fs';
import { hasCode } from '../base/error.ts';
import { readProcess } from './processes/processes.ts';

/**
 * Lets stopped helpers go on whose child has ended in a container: a pid namespace does not end
 * before everything in it was waited for (pid_namespaces(7)), and the client of an `exec` or a
 * monitor that somebody stopped waits for nothing.
 */
export function wakeStoppedHelpers(): void {
  const pids = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const child = readProcess(Number(pid));
    const isInContainer = (child?.status.get('NSpid') ?? '').includes('\t');
    if (child?.state !== 'Z' || !isInContainer) continue;
    const parent = readProcess(child.parent);
    if (parent?.state !== 'T' || parent.command !== 'tsman-helper') continue;
    try {
      process.kill(parent.pid, 'SIGCONT');
    } catch (error) {
      // ESRCH: ended meanwhile. EPERM: somebody else's, and so is the container.
      if (!hasCode(error, 'ESRCH') && !hasCode(error, 'EPERM')) throw error;
    }
  }
}
