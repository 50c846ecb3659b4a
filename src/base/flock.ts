import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';

/** Who holds a flock(2), by proc_locks(5): `1: FLOCK ADVISORY WRITE 4711 fe:01:99 0 EOF`. */
export function flockHolder(path: string): number | undefined {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return undefined;
  for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
    const [, pid = '', device, inode] =
      /FLOCK +ADVISORY +WRITE (\d+) ([0-9a-f]+:[0-9a-f]+):(\d+) /.exec(line) ?? [];
    if (inode === String(file.ino) && Number(pid) > 0)
      if (device === deviceOf(file) || hasOpen(pid, file)) return Number(pid);
  }
  return undefined;
}

/** makedev(3) backwards, as that file shows it. */
function deviceOf({ dev }: Stats): string {
  const hex = (number: number): string => number.toString(16).padStart(2, '0');
  return `${hex((dev >>> 8) & 0xfff)}:${hex((dev & 0xff) | ((dev >>> 12) & 0xfff00))}`;
}

/** Btrfs and overlays have other devices there than stat(2) shows. */
function hasOpen(pid: string, { dev, ino }: Stats): boolean {
  const directory = `/proc/${pid}/fd`;
  try {
    return readdirSync(directory).some((fd) => {
      const open = statSync(`${directory}/${fd}`, { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino;
    });
  } catch {
    // It has ended, or is not ours.
    return false;
  }
}
