import type { CommandSpec, OptionSpecs } from './command.ts';

/**
 * Which words belong to which file. A command's module is imported when its words are typed and not
 * before: that is what keeps `tsman ps` from paying for `tsman run`. `test/commands/table.test.ts`
 * holds this against the `paths` each module declares.
 */
export interface TableEntry {
  readonly words: readonly string[];
  load(): Promise<CommandSpec<OptionSpecs>>;
}

type Loader = () => Promise<CommandSpec<OptionSpecs>>;

function entries(load: Loader, ...paths: string[]): TableEntry[] {
  return paths.map((path) => ({ words: path.split(' '), load }));
}

// A spec's option types are known to its own run() only; the parser fills them by the same spec.
function loader<Specs extends OptionSpecs>(load: () => Promise<CommandSpec<Specs>>): Loader {
  return load as unknown as Loader;
}

export const COMMANDS: readonly TableEntry[] = [
  ...entries(loader(() => import('./version.ts').then((m) => m.versionCommand)), 'version'),
];

/** The entry with the most words that `argv` starts with. */
export function findCommand(argv: readonly string[]): TableEntry | undefined {
  let best: TableEntry | undefined;
  for (const entry of COMMANDS) {
    if (entry.words.length > (best?.words.length ?? 0) && entry.words.every((word, i) => argv[i] === word)) best = entry;
  }
  return best;
}
