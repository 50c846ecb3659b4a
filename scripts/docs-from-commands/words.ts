import type { OptionSpec } from '../../src/commands/command.ts';
import { optionName } from '../../src/commands/parse.ts';
import { type Entry, shownOptions } from './generate.ts';

/** After which words there are further words: '' for the first, 'image' for `tsman image …`. */
export function subcommands(entries: readonly Entry[]): Map<string, Map<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const { words, command } of entries) {
    for (let length = 0; length < words.length; length++) {
      const before = words.slice(0, length).join(' ');
      const group = groups.get(before) ?? new Map<string, string>();
      const word = words[length] ?? '';
      if (length === words.length - 1) group.set(word, command.summary);
      else if (!group.has(word))
        group.set(word, `commands for ${word === 'system' ? 'the whole engine' : `${word}s`}`);
      groups.set(before, group);
    }
  }
  return groups;
}

/** How an option is typed: `--name`, `-n`. */
export function spellings(key: string, spec: OptionSpec): string[] {
  return [`--${optionName(key)}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])];
}

/** Options of an entry whose next word is their value. */
export function valueOptions({ command }: Entry): [key: string, spec: OptionSpec][] {
  return shownOptions(command).filter(
    ([, spec]) => spec.kind === 'list' || (spec.kind === 'text' && spec.implied === undefined),
  );
}

/** The commands that list live names, for completion. */
export const LIVE_NAMES = {
  containers: "tsman ps --all --format '{{.Names}}'",
  running: "tsman ps --format '{{.Names}}'",
  images: "tsman images --format '{{.Repository}}:{{.Tag}}'",
  volumes: 'tsman volume ls --quiet',
  networks: 'tsman network ls --quiet',
} as const;

/** A word for the shell, in single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
