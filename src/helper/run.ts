import type { ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { EXIT_CANNOT_EXECUTE, TsmanError } from '../base/error.ts';
import { nodeChildProcess } from '../base/late-modules.ts';
import { helperPath } from './location.ts';
import { encodePlan, type PlanRecord } from './plan.ts';

/** Writes a plan where only we can read it. The helper reads it whole before it does anything. */
export function writePlan(path: string, records: Iterable<PlanRecord>): void {
  fs.writeFileSync(path, encodePlan(records), { mode: 0o600 });
}

/**
 * Becomes the helper: this process's last act. No JavaScript stays behind, terminal, pipes and
 * signals are the helper's own, and its exit status is ours. Where the runtime lacks execve
 * (Node before 23.11) the helper is spawned and waited for instead.
 */
export async function becomeHelper(
  verb: string,
  planPath: string,
  preservedFds = 0,
): Promise<number> {
  // The runtime makes every descriptor but 0, 1 and 2 close-on-exec; only spawning passes them on.
  if (preservedFds > 0) return await runInForeground(verb, planPath, preservedFds);
  const helper = helperPath();
  const execve = (
    process as { execve?: (file: string, args: string[], env?: NodeJS.ProcessEnv) => never }
  ).execve;
  if (execve !== undefined) {
    execve.call(process, helper, [helper, verb, planPath], process.env);
  }
  return await spawnInherited(helper, [verb, planPath]);
}

const PASSED_SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Runs the helper with our streams and waits for it; the signals we get are meant for it. */
export async function runInForeground(
  verb: string,
  planPath: string,
  preservedFds = 0,
): Promise<number> {
  const fds = Array.from({ length: 3 + preservedFds }, (_, fd) => fd);
  for (const fd of fds.slice(3)) checkInherited(fd);
  const child = nodeChildProcess().spawn(helperPath(), [verb, planPath], { stdio: fds });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  for (const signal of PASSED_SIGNALS) process.on(signal, pass);
  try {
    return await exitOf(child);
  } finally {
    for (const signal of PASSED_SIGNALS) process.off(signal, pass);
  }
}

/** What the caller did not open the runtime may have taken for itself: that is not for a container. */
function checkInherited(fd: number): void {
  let target = '';
  try {
    target = fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    // Not open at all.
  }
  if (target === '' || target.startsWith('anon_inode:') || target === process.execPath)
    throw new TsmanError(`descriptor ${fd} is to be passed on but is not open`, {
      hint: `open it in the shell, e.g. ${fd}<file`,
    });
}

function spawnInherited(helper: string, args: string[]): Promise<number> {
  return exitOf(nodeChildProcess().spawn(helper, args, { stdio: 'inherit' }));
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', (cause) => reject(new TsmanError(`run ${helperPath()}`, { cause })));
    child.on('exit', (code) => resolve(code ?? EXIT_CANNOT_EXECUTE));
  });
}

/** The records that make a failed helper turn into `tsman` again, so that one place words the error. */
export function explainRecord(
  directories: { readonly dataRoot: string; readonly runRoot: string },
  ...words: string[]
): PlanRecord {
  return ['explain', ...ownProgram(directories, '__explain', ...words)];
}

/** The command line of this program with these words, on the same storage. */
export function ownProgram(
  directories: Parameters<typeof explainRecord>[0],
  ...words: string[]
): string[] {
  const script = process.argv[1];
  // Compiled, argv[1] is inside the executable; from source it is the script to run.
  const program =
    script === undefined || script.startsWith('/$bunfs/')
      ? [process.execPath]
      : [process.execPath, script];
  return [...program, '--root', directories.dataRoot, '--runroot', directories.runRoot, ...words];
}

/**
 * Runs the helper without becoming it and returns the pid it reports.
 * @throws TsmanError worded by describeFailure
 */
export async function runHelper(verb: string, planPath: string, what: string): Promise<number> {
  const child = nodeChildProcess().spawn(helperPath(), [verb, planPath], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  });
  const report = child.stdio[3];
  const chunks: Buffer[] = [];
  report?.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => reject(new TsmanError(`run ${helperPath()}`, { cause })));
    child.on('close', resolve);
  });
  // Bun may announce the end of a short-lived child before it has read the extra descriptor.
  if (chunks.length === 0 && report != null) await firstData(report);
  // And it keeps that descriptor's stream, and with it the process, alive after its end.
  report?.destroy();
  const [kind, first = '', second = '', third = ''] = Buffer.concat(chunks)
    .toString()
    .split('\u0000');
  if (kind === 'ok') return Number(first);
  if (kind === 'fail') {
    const { describeFailure } = await import('./failure.ts');
    throw describeFailure(what, { step: first, subject: second, errno: Number(third) });
  }
  throw new TsmanError(`${what}: the helper ended with status ${code} and no report`);
}

const REPORT_WAIT_MS = 1000;

function firstData(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, REPORT_WAIT_MS);
    stream.once('data', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
