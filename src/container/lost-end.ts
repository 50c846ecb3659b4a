import { statSync } from 'node:fs';
import { readIfExists } from '../base/file.ts';
import { currentBootID } from '../base/process.ts';

/** What is left to know of a run whose monitor wrote no end: it was killed, or the machine went down. */
export interface LostEnd {
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/**
 * Reads the mark of the last start. After a reboot the run ended at the latest when this boot began,
 * and that is as near as one comes; before one, when its last line of log was written.
 * @param directory the container's
 * @returns undefined when it was never started
 */
export function readLostEnd(directory: string): LostEnd | undefined {
  const mark = `${directory}/started`;
  const startedAt = modifiedAt(mark);
  if (startedAt === undefined) return undefined;
  const boot = readIfExists(mark);
  const last = boot === currentBootID() ? modifiedAt(`${directory}/log`) : bootedAt();
  return { startedAt, finishedAt: last === undefined || last < startedAt ? startedAt : last };
}

function modifiedAt(path: string): Date | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtime;
}

/** `btime` of proc_stat(5). */
function bootedAt(): Date | undefined {
  const seconds = /^btime (\d+)$/m.exec(readIfExists('/proc/stat') ?? '')?.[1];
  return seconds === undefined ? undefined : new Date(Number(seconds) * 1000);
}
