/** What one run of a test file amounts to. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why tests were skipped, one line each. */
  readonly skips: readonly string[];
  /** What is wrong besides failed tests: a crash, a timeout, no tests at all. */
  readonly problems: readonly string[];
}

export interface FinishedProcess {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly output: string;
}

const TOTALS = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;
const SKIP = /^SKIP (.*)$/gm;

/**
 * Judges a test file by uvu's totals and by its exit. uvu 0.5.6 calls it a success when a suite was
 * never run (`.run()` forgotten), when a test throws null, or when `.only` was left in; we do not.
 */
export function judge(finished: FinishedProcess): Outcome {
  const totals = [...finished.output.matchAll(TOTALS)].at(-1);
  const [total, passed, skipped] = [1, 2, 3].map((group) => Number(totals?.[group] ?? 0)) as [
    number,
    number,
    number,
  ];
  const skips = [...finished.output.matchAll(SKIP)].map((match) => match[1] ?? '');
  const problems: string[] = [];
  if (finished.timedOut)
    problems.push(totals === undefined ? 'timed out' : 'did not end after its tests');
  else if (finished.signal !== null) problems.push(`killed by ${finished.signal}`);
  else if (totals === undefined)
    problems.push(`no totals: it crashed, or ran no suite (exit code ${finished.exitCode})`);
  else if (total + skipped === 0) problems.push('it has no tests (is .run() missing?)');
  else if (skipped > skips.length)
    problems.push(
      `${skipped - skips.length} tests were skipped without a reason (.only or .skip?)`,
    );
  if (passed === total && finished.exitCode !== 0 && problems.length === 0) {
    problems.push(`all tests passed and yet it ended with exit code ${finished.exitCode}`);
  }
  return {
    passed,
    failed: Math.max(total - passed, problems.length > 0 ? 1 : 0),
    skipped: skips.length,
    skips,
    problems,
  };
}

/** More than these are no accident. */
const MAX_SECOND_RUNS = 4;

/**
 * Which runs to repeat: files that failed while others ran. The checks say the same again; and where
 * many files fail, or one that ran without others, another run would only cost time.
 */
export function worthSecondRun<
  Run extends {
    readonly job: { readonly isCheck: boolean };
    readonly outcome: Pick<Outcome, 'failed'>;
  },
>(runs: readonly Run[]): Run[] {
  const failed = runs.filter(({ job, outcome }) => !job.isCheck && outcome.failed > 0);
  return runs.length === 1 || failed.length > MAX_SECOND_RUNS ? [] : failed;
}
