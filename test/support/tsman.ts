import { resolve } from 'node:path';
import { execa } from 'execa';

export interface CommandResult {
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** What the program reads; nothing by default. */
  readonly stdin?: string | Uint8Array;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Runs the built program: `await tsman('ps', '-a')`, `await tsman.with({ stdin: 'x' })('run', …)`. */
export interface Tsman {
  (...args: string[]): Promise<CommandResult>;
  with(options: CommandOptions): Tsman;
}

/** Where the program keeps things, see `withScratch`. */
export interface Roots {
  readonly root: string;
  readonly runRoot: string;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** The program under test. */
export function tsmanPath(): string {
  return resolve(process.env['TSMAN_BIN'] ?? 'bin/tsman');
}

/** The environment of a tsman with these roots, for tests that start it by themselves (terminals, kill -9). */
export function tsmanEnv({ root, runRoot }: Roots): Record<string, string> {
  return { TSMAN_ROOT: root, TSMAN_RUNROOT: runRoot };
}

/** Runs `tsman ARGS` once and reports how it ended; a non-zero exit is a result, a timeout an error. */
export async function runTsman(
  roots: Roots,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const result = await execa(tsmanPath(), args, {
    reject: false,
    stripFinalNewline: false,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    env: { ...tsmanEnv(roots), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
  });
  const { stdout, stderr } = result;
  if (result.timedOut)
    throw new Error(`tsman ${args.join(' ')}: no end after ${timeoutMs} ms\nstderr: ${stderr}`);
  if (result.exitCode === undefined)
    throw new Error(`tsman ${args.join(' ')}: ${result.signal ?? result.message}`);
  return { args, exitCode: result.exitCode, stdout, stderr };
}

/** A `tsman` for one scratch; every result is also put into `history`. */
export function tsmanRunner(
  roots: Roots,
  history: CommandResult[],
  options: CommandOptions = {},
): Tsman {
  const run = async (...args: string[]): Promise<CommandResult> => {
    const result = await runTsman(roots, args, options);
    history.push(result);
    return result;
  };
  return Object.assign(run, {
    with: (more: CommandOptions) => tsmanRunner(roots, history, { ...options, ...more }),
  });
}

/** A command and how it ended, for the report of a failed test. */
export function describe(result: CommandResult | undefined): string {
  if (result === undefined) return 'no tsman command had ended';
  const { args, exitCode, stdout, stderr } = result;
  const shown = (name: string, text: string): string =>
    text === '' ? '' : `\n${name}: ${text.slice(0, 4000).trimEnd()}`;
  return `last command: tsman ${args.join(' ')}\nexit code: ${exitCode}${shown('stdout', stdout)}${shown('stderr', stderr)}`;
}
