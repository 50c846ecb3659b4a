/**
 * Runs the checks and every test file in a process of its own, two at a time, and adds them up.
 * Started as root, the files run as the unprivileged test user, and those that say `// run: root` on
 * a line of their own run once more as root. `// timeout: SECONDS` replaces the default. A few files
 * that failed run again, alone (docs/testing.md says why).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { type FinishedProcess, judge, type Outcome, worthSecondRun } from './test-results.ts';

interface Job {
  readonly name: string;
  readonly command: readonly string[];
  readonly timeoutSeconds: number;
  /** A check passes by its exit code, a test file by uvu's totals. */
  readonly isCheck: boolean;
}

interface Run {
  readonly job: Job;
  readonly outcome: Outcome;
}

const DEFAULT_TIMEOUT_SECONDS = 300;
/** After SIGTERM a test still removes its containers and its scratch directory. */
const GRACE_SECONDS = 15;
/** How long a file may go on after uvu has printed its totals. */
const AFTERMATH_SECONDS = 10;
const WORKERS = 2;
/** What all second runs together may take. */
const SECOND_RUNS_SECONDS = 600;

const isRoot = process.geteuid?.() === 0;
const filters = process.argv.slice(2);
const running = new Set<ChildProcess>();

function listJobs(): Job[] {
  const check = (name: string, ...command: string[]): Job => ({
    name,
    command,
    timeoutSeconds: 120,
    isCheck: true,
  });
  const checks = [
    check('typecheck', 'node_modules/.bin/tsc', '--noEmit'),
    check('lint', 'scripts/lint'),
  ];
  const files = globSync('test/**/*.test.ts').sort();
  const jobs = [...checks, ...files.flatMap(jobsOfFile)];
  return jobs.filter(
    ({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)),
  );
}

function jobsOfFile(file: string): Job[] {
  const source = readFileSync(file, 'utf8');
  const timeoutSeconds = Number(
    /^\/\/ timeout: (\d+)$/m.exec(source)?.[1] ?? DEFAULT_TIMEOUT_SECONDS,
  );
  const job = (name: string, ...before: string[]): Job => ({
    name,
    command: [...before, process.execPath, file],
    timeoutSeconds,
    isCheck: false,
  });
  const asRoot = isRoot && /^\/\/ run: root$/m.test(source) ? [job(`${file} (as root)`)] : [];
  return [job(file, 'scripts/as-user'), ...asRoot];
}

/** 'exit', not 'close': a process the test left behind may hold our pipes for ever. */
function exitOf(
  child: ChildProcess,
  onError: (text: string) => void,
): Promise<[number | null, string | null]> {
  return new Promise((resolve) => {
    child.on('error', (error) => {
      onError(`${error.message}\n`);
      resolve([127, null]);
    });
    // What it wrote last may still be in the pipe.
    child.on('exit', (...status) => setTimeout(resolve, 20, status));
  });
}

async function runProcess(job: Job): Promise<FinishedProcess> {
  const [program = '', ...args] = job.command;
  // A process group of its own: a file that hangs is killed with its children.
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  running.add(child);
  let output = '';
  let timedOut = false;
  const end = (signal: NodeJS.Signals) => {
    timedOut = true;
    killGroup(child, signal);
  };
  const timers = [
    setTimeout(end, job.timeoutSeconds * 1000, 'SIGTERM'),
    setTimeout(end, (job.timeoutSeconds + GRACE_SECONDS) * 1000, 'SIGKILL'),
  ];
  const onOutput = (text: string): void => {
    output += text;
    if (/^ {2}Duration: /m.test(text))
      timers.push(setTimeout(end, AFTERMATH_SECONDS * 1000, 'SIGKILL'));
  };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', onOutput);
  const [exitCode, signal] = await exitOf(child, onOutput);
  for (const timer of timers) clearTimeout(timer);
  running.delete(child);
  killGroup(child, 'SIGKILL');
  for (const stream of [child.stdout, child.stderr]) stream.destroy();
  return { exitCode, signal, timedOut, output };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function runJob(job: Job): Promise<Outcome> {
  const startedAt = performance.now();
  const finished = await runProcess(job);
  const outcome = job.isCheck ? judgeCheck(finished) : judge(finished);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
  console.log(
    `${outcome.failed > 0 ? 'FAIL' : 'ok  '} ${job.name}  (${outcome.passed} passed${skipped}, ${seconds} s)`,
  );
  for (const reason of outcome.skips) console.log(`     skipped: ${reason}`);
  if (outcome.failed > 0) console.log(`${finished.output.trimEnd().replace(/^/gm, '     | ')}`);
  for (const problem of outcome.problems) console.log(`     ${problem}`);
  return outcome;
}

function judgeCheck({ exitCode }: FinishedProcess): Outcome {
  const passed = exitCode === 0 ? 1 : 0;
  return { passed, failed: 1 - passed, skipped: 0, skips: [], problems: [] };
}

async function runAll(jobs: readonly Job[]): Promise<Run[]> {
  const queue = [...jobs];
  const runs: Run[] = [];
  const work = async (): Promise<void> => {
    for (let job = queue.shift(); job !== undefined; job = queue.shift())
      runs.push({ job, outcome: await runJob(job) });
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  return runs;
}

/** Runs some of the failed files again, one after the other, and counts these by their second run. */
async function repeatFailed(runs: readonly Run[]): Promise<Outcome[]> {
  const repeated = new Map<Run, Outcome>();
  const endAt = performance.now() + SECOND_RUNS_SECONDS * 1000;
  for (const run of worthSecondRun(runs)) {
    console.log(`     once more, alone: ${run.job.name}`);
    const leftSeconds = Math.max(1, (endAt - performance.now()) / 1000);
    const timeoutSeconds = Math.min(run.job.timeoutSeconds, leftSeconds);
    repeated.set(run, await runJob({ ...run.job, timeoutSeconds }));
  }
  for (const [{ job }, { failed }] of repeated)
    if (failed === 0) console.log(`FLAKY ${job.name}: failed beside others, passed alone`);
  return runs.map((run) => repeated.get(run) ?? run.outcome);
}

function stop(): void {
  for (const child of running) killGroup(child, 'SIGTERM');
  process.exit(130);
}

process.on('SIGINT', stop).on('SIGTERM', stop);
const outcomes = await repeatFailed(await runAll(listJobs()));
const sum = (key: 'passed' | 'failed' | 'skipped'): number =>
  outcomes.reduce((total, outcome) => total + outcome[key], 0);
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`);
process.exitCode = outcomes.length === 0 || sum('failed') > 0 ? 1 : 0;
if (outcomes.length === 0) console.error(`no test matches ${filters.join(' ')}`);
