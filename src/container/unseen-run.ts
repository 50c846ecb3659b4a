import { statSync } from 'node:fs';
import { readIfThere } from '../base/file.ts';
import { flockHolder } from '../base/flock.ts';
import { currentBootID, startTimeOf } from '../base/process.ts';

/** A start that is under way holds the lock, too. */
const STARTED_MS = 5000;

/**
 * The fields of the `state` file of a container whose run directory was removed while it ran, as a logout
 * does with /run/user: its monitor still has the lock on the container's own directory.
 * @param directory the container's
 * @returns undefined when none runs
 */
export function findUnseenRun(directory: string): ReadonlyMap<string, string> | undefined {
  const mark = `${directory}/started`;
  if (readIfThere(mark) !== currentBootID()) return undefined;
  const startedMs = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - startedMs < STARTED_MS) return undefined;
  const monitor = flockHolder(directory);
  if (monitor === undefined) return undefined;
  // Its first child; later ones are probes of its health.
  const [pid = ''] = (readIfThere(`/proc/${monitor}/task/${monitor}/children`) ?? '').split(' ');
  return new Map([
    ['boot', currentBootID()],
    ['monitor', String(monitor)],
    ['monitor-start', startTimeOf(monitor) ?? ''],
    ['pid', pid],
    ['start', startTimeOf(Number(pid)) ?? ''],
    ['started', String(startedMs / 1000)],
  ]);
}
