import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until, untilEnded } from '../support/until.ts';

/** The built helper. */
export const HELPER = 'native/build/tsman-helper';
const TIMEOUT_MS = 60_000;
const ALL_CAPABILITIES = '1ffffffffff';

export type PlanRecord = readonly [name: string, ...args: string[]];

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** One container's directories, and the plans for it. */
export interface ScratchBox {
  readonly directory: string;
  readonly runDirectory: string;
  readonly containerDirectory: string;
  readonly log: string;
  /** Writes a plan for `box` that runs a shell command on the host's own files; returns its path. */
  boxPlan(command: string, ...settings: readonly PlanRecord[]): string;
  /** Writes a plan for `attach`. */
  attachPlan(...settings: readonly PlanRecord[]): string;
  /** A field of run-dir/state, or undefined. */
  state(key: string): number | undefined;
  /** The text of container-dir/exit, waited for. */
  exitFile(): Promise<string>;
}

/** The README's plan format. */
export function encodePlan(records: readonly PlanRecord[]): Buffer {
  const words = ['tsman-plan', '1'];
  for (const [name, ...args] of records) words.push(name, String(args.length), ...args);
  return Buffer.from([...words, 'end', '0', ''].join('\0'));
}

/** Gives the test a box of its own; afterwards its monitor is killed and its directory goes. */
export async function withBox(body: (box: ScratchBox) => Promise<void>): Promise<void> {
  const directory = mkdtempSync('/var/tmp/n');
  chmodSync(directory, 0o700);
  const box = makeBox(directory);
  try {
    await body(box);
  } finally {
    await endMonitor(box);
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeBox(directory: string): ScratchBox {
  // Longer than the 107 bytes of a socket's name, as a real one may be.
  const runRoot = join(directory, 'run');
  const runDirectory = join(runRoot, 'containers', 'c'.repeat(110));
  const containerDirectory = join(directory, 'container');
  mkdirSync(runDirectory, { recursive: true });
  mkdirSync(containerDirectory);
  let plans = 0;
  const write = (records: readonly PlanRecord[]): string => {
    const path = join(directory, `plan-${plans++}`);
    writeFileSync(path, encodePlan(records), { mode: 0o600 });
    return path;
  };
  const log = join(containerDirectory, 'log');
  const box: ScratchBox = {
    directory,
    runDirectory,
    containerDirectory,
    log,
    boxPlan: (command, ...settings) =>
      write([...placeSettings(box, runRoot, settings), ...settings, ...steps(command)]),
    attachPlan: (...settings) => write([['run-dir', runDirectory], ...settings]),
    state: (key) => readState(runDirectory, key),
    exitFile: () => waitForFile(join(containerDirectory, 'exit')),
  };
  return box;
}

function placeSettings(
  box: ScratchBox,
  runRoot: string,
  settings: readonly PlanRecord[],
): PlanRecord[] {
  const has = (name: string): boolean => settings.some((it) => it[0] === name);
  // Only our own id: that needs neither newuidmap nor a range in /etc/subuid.
  const records: PlanRecord[] = [
    ['id', 'cafe'],
    ['userns', 'map', runRoot],
    ['uid-map', '0', String(process.geteuid?.()), '1'],
    ['gid-map', '0', String(process.getegid?.()), '1'],
    ['namespaces', 'mount,pid,uts,ipc'],
    ['run-dir', box.runDirectory],
    ['container-dir', box.containerDirectory],
    ['events', join(box.directory, 'events')],
  ];
  if (!has('log')) records.push(['log', 'k8s-file', box.log, '0', '1']);
  return records;
}

function steps(command: string): PlanRecord[] {
  return [
    ['rootfs-bind', '/', ''],
    ['pivot'],
    ['env', 'PATH=/usr/bin:/bin'],
    ['user', '0:0'],
    ['capabilities', ALL_CAPABILITIES, ALL_CAPABILITIES, '0', '0'],
    ['cwd', '/', ''],
    ['exec', '/bin/sh', '-c', command],
  ];
}

function readState(runDirectory: string, key: string): number | undefined {
  try {
    const text = readFileSync(join(runDirectory, 'state'), 'utf8');
    const line = text.split('\n').find((it) => it.startsWith(`${key} `));
    return line === undefined ? undefined : Number(line.split(' ')[1]);
  } catch {
    return undefined; // Not yet, or removed.
  }
}

/** What it writes last would be in the way of removing the directory. */
async function endMonitor(box: ScratchBox): Promise<void> {
  const pid = box.state('monitor');
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    return; // It has left already, as it should.
  }
  await untilEnded(pid);
}

/** Waits until a file is there and returns its text. */
export async function waitForFile(path: string): Promise<string> {
  await until(`${path} is there`, () => existsSync(path));
  return readFileSync(path, 'utf8');
}

/** Resolves when the monitor has taken one more client than it has at the time of the call. */
export async function clientArrives(box: ScratchBox): Promise<void> {
  const monitor = box.state('monitor') ?? 0;
  const before = socketsOf(monitor);
  await until('the monitor has taken a client', () =>
    socketsOf(monitor).some((it) => !before.includes(it)),
  );
  // What it wants to hear the client says right after it has connected.
  await sleep(200);
}

function socketsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`))
    .filter((target) => target.startsWith('socket:'));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // Closed meanwhile.
  }
}

/** Starts a program with pipes; it is killed after a time. */
export function start(command: string, ...args: string[]): ChildProcess {
  return spawn(command, args, { timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
}

/** Runs a program with pipes to its end. */
export async function run(command: string, args: string[], input = ''): Promise<Outcome> {
  const child = start(command, ...args);
  child.stdin?.on('error', () => {}); // EPIPE: it did not want all of it.
  child.stdin?.end(input);
  return finished(child);
}

/** Collects what a started program still writes, until it ends. */
export async function finished(child: ChildProcess): Promise<Outcome> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}
