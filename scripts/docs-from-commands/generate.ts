import type { CommandSpec, OptionSpec } from '../../src/commands/command.ts';
import { allCommands } from '../../src/commands/table.ts';
import { bashCompletion } from './bash.ts';
import { confPage } from './conf-page.ts';
import { fishCompletion } from './fish.ts';
import { commandPage, overviewPage, pageName } from './man.ts';
import { runOptionsPage } from './run-options.ts';
import { troubleshootingPage } from './troubleshooting.ts';
import { zshCompletion } from './zsh.ts';

/** One way to say a command. */
export interface Entry {
  readonly words: readonly string[];
  readonly command: CommandSpec;
}

/** The options that are shown, by key. */
export function shownOptions(command: CommandSpec): [key: string, spec: OptionSpec][] {
  return Object.entries(command.options).filter(([, spec]) => spec.hidden !== true);
}

/** Every generated file: path to text. `test/docs.test.ts` holds it against what is in the repository. */
export async function generateDocs(): Promise<Map<string, string>> {
  const entries = await Promise.all(
    allCommands().map(
      async ({ words, load }): Promise<Entry> => ({ words, command: await load() }),
    ),
  );
  const commands = [...new Set(entries.map(({ command }) => command))];
  return new Map([
    ['man/tsman.1', overviewPage(commands)],
    ['man/tsman.conf.5', confPage(commands)],
    ...commands.map((command): [string, string] => [
      `man/${pageName(command)}.1`,
      commandPage(command),
    ]),
    ['docs/run-options.md', runOptionsPage()],
    ['completions/tsman.bash', bashCompletion(entries)],
    ['completions/tsman.zsh', zshCompletion(entries)],
    ['completions/tsman.fish', fishCompletion(entries)],
    ['docs/troubleshooting.md', troubleshootingPage()],
  ]);
}
