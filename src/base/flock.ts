import { readFileSync, statSync } from 'node:fs';

/** Who holds a flock(2), by proc_locks(5): `1: FLOCK ADVISORY WRITE 4711 fe:01:99 0 EOF`. */
export function flockHolder(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
    const [, pid, inode] =
      /FLOCK +ADVISORY +WRITE (\d+) [0-9a-f]+:[0-9a-f]+:(\d+) /.exec(line) ?? [];
    if (inode === String(stat.ino) && Number(pid) > 0) return Number(pid);
  }
  return undefined;
}
