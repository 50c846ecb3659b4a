import { UsageError } from './base/error.ts';
import { VERSION } from './base/version.ts';
import type { CommandContext } from './commands/command.ts';
import { createEngine, type Engine, type EngineOptions } from './commands/engine.ts';
import { parseArguments } from './commands/parse.ts';
import { findCommand } from './commands/table.ts';
import { printFailure } from './output/failure.ts';

/** Runs one command line (without the program's name) and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const { rest, options } = takeGlobalOptions(argv);
    return await dispatch(rest, options);
  } catch (error) {
    return printFailure(error, process.stderr);
  }
}

async function dispatch(argv: readonly string[], options: EngineOptions): Promise<number> {
  if (argv[0] === '--version' || argv[0] === '-v') {
    process.stdout.write(`tsman version ${VERSION}\n`);
    return 0;
  }
  if (argv[0] === '__explain') {
    const { explain } = await import('./commands/explain.ts');
    return await explain(createEngine(options), argv.slice(1));
  }
  const entry = findCommand(argv);
  if (entry === undefined) {
    const { answerUnknown } = await import('./commands/help.ts');
    return answerUnknown(argv, process.stdout);
  }
  const command = await entry.load();
  const parsed = parseArguments(command, argv.slice(entry.words.length));
  if (parsed.wantsHelp) {
    const { commandHelp } = await import('./commands/help.ts');
    process.stdout.write(commandHelp(command, entry.words));
    return 0;
  }
  return await command.run(parsed.options, parsed.args, contextFor(options, parsed.given));
}

function contextFor(options: EngineOptions, given: ReadonlySet<string>): CommandContext {
  let engine: Engine | undefined;
  return {
    // Looked up when used: making the three stream objects costs `run`, which needs none, 2 ms.
    get stdin() {
      return process.stdin;
    },
    get stdout() {
      return process.stdout;
    },
    get stderr() {
      return process.stderr;
    },
    env: process.env,
    openEngine() {
      engine ??= createEngine(options);
      return engine;
    },
    isSet: (option) => given.has(option),
  };
}

const GLOBAL_OPTIONS = new Map([
  ['--root', 'root'],
  ['--runroot', 'runRoot'],
] as const);

/** Options before the command's name, as Podman has them. */
function takeGlobalOptions(argv: readonly string[]): {
  rest: readonly string[];
  options: EngineOptions;
} {
  const options: { root?: string; runRoot?: string } = {};
  let at = 0;
  for (; at < argv.length; at++) {
    const [name, inline] = splitOnce(argv[at] as string, '=');
    const key = GLOBAL_OPTIONS.get(name as '--root');
    if (key === undefined) break;
    const value = inline ?? argv[++at];
    if (value === undefined) throw new UsageError(`option ${name} needs a value`);
    options[key] = value;
  }
  return { rest: argv.slice(at), options };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
