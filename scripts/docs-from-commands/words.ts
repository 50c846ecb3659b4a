import { constants } from 'node:os';
import type { OptionSpec } from '../../src/commands/command.ts';
import { optionName } from '../../src/commands/parse.ts';
import { ALL_CAPABILITIES } from '../../src/container/security/capabilities.ts';
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
  networks: "tsman network ls --format '{{.Name}}'",
  secrets: "tsman secret ls --format '{{.Name}}'",
} as const;

/** Options whose value is a live name; their key means the same in every command. */
const LIVE_VALUES: Readonly<Record<string, keyof typeof LIVE_NAMES>> = {
  network: 'networks',
  requires: 'containers',
  secret: 'secrets',
  volumesFrom: 'containers',
};

const CAPABILITIES = ['all', ...ALL_CAPABILITIES.map((name) => name.slice('CAP_'.length))];
const SIGNALS = Object.keys(constants.signals).map((name) => name.slice('SIG'.length));

/** Values that are no `choices`, because others are right as well. */
const USUAL_VALUES: Readonly<Record<string, readonly string[]>> = {
  capAdd: CAPABILITIES,
  capDrop: CAPABILITIES,
  network: ['bridge', 'host', 'none', 'pasta'],
  signal: SIGNALS,
  stopSignal: SIGNALS,
  userns: ['auto', 'host', 'keep-id', 'nomap'],
};

/** Words to offer for the value of an option. */
export function valueWords(key: string, spec: OptionSpec): readonly string[] {
  return spec.kind === 'flag' ? [] : (spec.choices ?? USUAL_VALUES[key] ?? []);
}

/** Which live names to offer for the value of an option. */
export function liveValues(key: string, spec: OptionSpec): keyof typeof LIVE_NAMES | undefined {
  // A command's own meaning comes first: --network of `ps` would be a flag.
  return spec.kind === 'flag' || !Object.hasOwn(LIVE_VALUES, key) ? undefined : LIVE_VALUES[key];
}

/** A word for the shell, in single quotes. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
