import { hasCode, TsmanError } from './base/error.ts';
import { VERSION } from './base/version.ts';
import type { CommandContext } from './commands/command.ts';
import { configuredOptions, withStorageConf } from './commands/configuration.ts';
import { createEngine, type Engine, type EngineOptions } from './commands/engine.ts';
import { type GlobalOptions, takeGlobalOptions } from './commands/global-options.ts';
import { parseArguments } from './commands/parse.ts';
import { findCommand } from './commands/table.ts';
import { printFailure } from './output/failure.ts';
import { DescriptorOutput } from './output/output.ts';

const EXIT_BROKEN_PIPE = 128 + 13;

/** Runs one command line (without the program's name) and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  // As Podman: of what a stricter umask makes, /etc/hosts or a container's root, other users of the container
  // would have nothing. What is private says so where it is made.
  process.umask(0o022);
  try {
    const { rest, options } = takeGlobalOptions(argv);
    return await dispatch(rest, options);
  } catch (error) {
    return endQuietly(error) ?? fail(await withDiagnosis(error, argv));
  }
}

const stdout = new DescriptorOutput(1, () => guarded(process.stdout));
const stderr = new DescriptorOutput(2, () => guarded(process.stderr));

/** The stream, ending the process when nobody can be told anything any more. */
function guarded(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return stream.on('error', (error) => process.exit(endQuietly(error) ?? fail(error)));
}

function fail(error: unknown): number {
  return printFailure(error, stderr);
}

/** `tsman logs web | head -1`: whoever reads has enough. As other programs end, of SIGPIPE. */
function endQuietly(error: unknown): number | undefined {
  return hasCode(error, 'EPIPE') && error.syscall === 'write' ? EXIT_BROKEN_PIPE : undefined;
}

/** Where a step of the helper failed, the doctor's checks may know why on this machine. */
async function withDiagnosis(error: unknown, argv: readonly string[]): Promise<unknown> {
  // By its field, not its class: that would load the helper's module for every command.
  if (!(error instanceof TsmanError && 'step' in error)) return error;
  const { diagnosed } = await import('./commands/diagnosed.ts');
  return diagnosed(error, String(error.step), takeGlobalOptions(argv).options);
}

async function dispatch(argv: readonly string[], options: GlobalOptions): Promise<number> {
  if (argv[0] === '--version' || argv[0] === '-v') {
    stdout.write(`tsman version ${VERSION}\n`);
    return 0;
  }
  if (argv[0] === '__explain') {
    const { explain } = await import('./commands/explain.ts');
    return await explain(createEngine(options), argv.slice(1));
  }
  if (argv[0] === '__remove-image') {
    const { removeImageIfUnused } = await import('./container/remove-image.ts');
    await removeImageIfUnused(createEngine(options), argv[1] ?? '');
    return 0;
  }
  const entry = findCommand(argv);
  if (entry === undefined) {
    const { answerUnknown } = await import('./commands/help.ts');
    return answerUnknown(argv, stdout);
  }
  const command = await entry.load();
  const parsed = parseArguments(command, argv.slice(entry.words.length));
  if (parsed.wantsHelp) {
    const { commandHelp } = await import('./commands/help.ts');
    stdout.write(commandHelp(command, entry.words));
    return 0;
  }
  if (command.isFrugal === true) {
    const { becomeFrugal } = await import('./base/frugal.ts');
    becomeFrugal();
  }
  if (options.config !== undefined) process.env['DOCKER_CONFIG'] = options.config;
  const context = contextFor(options, await withStorageConf(options), parsed.given);
  return await command.run(await configuredOptions(command, parsed, options), parsed.args, context);
}

function contextFor(
  globals: GlobalOptions,
  places: EngineOptions,
  given: ReadonlySet<string>,
): CommandContext {
  let engine: Engine | undefined;
  return {
    // Looked up when used: the stream object takes milliseconds to make.
    get stdin() {
      return process.stdin;
    },
    stdout,
    stderr,
    env: process.env,
    openEngine() {
      engine ??= createEngine(places);
      return engine;
    },
    globals,
    places,
    isSet: (option) => given.has(option),
  };
}
