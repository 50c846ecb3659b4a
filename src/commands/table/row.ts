import type { CommandSpec, OptionSpecs } from '../command.ts';

/** A command's ways to be said, `rm, container rm`, and its module. Nothing is done with them before one is typed. */
export interface TableRow {
  readonly paths: string;
  readonly module: () => Promise<object>;
}

/** One way to say a command, and how to get at it. */
export interface TableEntry {
  readonly words: readonly string[];
  load(): Promise<CommandSpec<OptionSpecs>>;
}

/** @param paths every way to say it, with commas between: `rm, container rm` */
export function row(paths: string, module: () => Promise<object>): TableRow {
  return { paths, module };
}

/** The entry for one of a row's ways. */
export function entryOf({ module }: TableRow, path: string): TableEntry {
  return { words: path.split(' '), load: async () => commandIn(await module(), path) };
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
