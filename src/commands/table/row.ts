import type { CommandSpec, OptionSpecs } from '../command.ts';

/** One way to say a command, and how to get at it. */
export interface TableEntry {
  readonly words: readonly string[];
  load(): Promise<CommandSpec<OptionSpecs>>;
}

/** @param paths every way to say it, with commas between: `rm, container rm` */
export function row(paths: string, load: () => Promise<object>): readonly TableEntry[] {
  return paths.split(', ').map((path) => ({
    words: path.split(' '),
    load: async () => commandIn(await load(), path),
  }));
}

/**
 * The command of a module that has these words among its `paths`: the table need not name it again.
 * A spec's option types are known to its own run() only; the parser fills them by the same spec.
 */
function commandIn(module: object, path: string): CommandSpec<OptionSpecs> {
  const isMeant = (value: unknown): value is CommandSpec<OptionSpecs> =>
    typeof value === 'object' &&
    value !== null &&
    'paths' in value &&
    (value as CommandSpec).paths.some((words) => words.join(' ') === path);
  const command = Object.values(module).find(isMeant);
  if (command === undefined) throw new Error(`the table has the wrong file for ${path}`);
  return command;
}
