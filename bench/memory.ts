import { readdirSync, readFileSync } from 'node:fs';
import { type Engine, runEngine } from './engines.ts';

const SETTLED_MS = 2000;

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

/** Megabytes (proportional set size) of the processes of ours that `start` leaves behind, without the container's own. */
export function residentShare(start: () => void): number {
  const before = new Set(ownProcesses());
  start();
  // What a start touched and a process at rest needs no more may go meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SETTLED_MS);
  const attendants = ownProcesses().filter((pid) => !before.has(pid) && !isInContainer(pid));
  return attendants.reduce((sum, pid) => sum + proportionalSize(pid), 0) / 1024;
}

// proc_pid_status(5): NSpid has one number for every PID namespace it is in. pasta makes itself one.
function isInContainer(pid: number): boolean {
  if (/^pass?t/.test(readProc(pid, 'comm'))) return false;
  return /^NSpid:\s+\d+\s+\d/m.test(readProc(pid, 'status'));
}

function proportionalSize(pid: number): number {
  const found = /^Pss:\s+(\d+)/m.exec(readProc(pid, 'smaps_rollup'));
  // Closed to us where the process is not dumpable: then the resident size, which is no smaller.
  return found === null ? residentSize(pid) : Number(found[1]);
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
