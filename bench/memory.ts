import { readdirSync, readFileSync } from 'node:fs';
import { type Engine, runEngine } from './engines.ts';

/** Megabytes (resident set size) of what an engine keeps running for one idle container with the default network. */
export function memoryAtRest(engine: Engine, image: string): number {
  const before = new Set(ownProcesses());
  runEngine(engine, 'run', '--detach', '--name', 'at-rest', image, 'sleep', '1000000');
  const attendants = ownProcesses().filter(
    (pid) => !before.has(pid) && !readProc(pid, 'cmdline').startsWith('sleep\0'),
  );
  const kilobytes = attendants.reduce((sum, pid) => sum + residentSize(pid), 0);
  runEngine(engine, 'rm', '--force', 'at-rest');
  return kilobytes / 1024;
}

function ownProcesses(): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && isOwn(pid));
}

// Not the owner of /proc/PID, which is root for a process that is not dumpable, as pasta and slirp4netns.
function isOwn(pid: number): boolean {
  return status(pid, 'Uid') === process.getuid?.();
}

function residentSize(pid: number): number {
  return status(pid, 'VmRSS');
}

function status(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readProc(pid, 'status'))?.[1] ?? 0);
}

function readProc(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return ''; // Ended meanwhile.
  }
}
