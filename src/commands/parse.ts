import { UsageError } from '../base/error.ts';
import type { CommandSpec, OptionSpec, OptionSpecs, OptionValues } from './command.ts';

/**
 * Parses a command's arguments with the grammar of Docker's and Podman's command lines (Go's pflag):
 * `--name v`, `--name=v`, `-n v`, `-nv`, `-n=v`, `-dit`, `--flag=false`, `--` ends the options.
 *
 * Our own because it is on the path of every command: clipanion's state machine for the 78 options
 * of `run` costs 20 ms, this about 0.1 ms, and clipanion knows neither `-p80:80` nor `--rm=false`.
 */
export interface Parsed<Specs extends OptionSpecs> {
  readonly options: OptionValues<Specs>;
  readonly args: readonly string[];
  /** Names of the options that were given. */
  readonly given: ReadonlySet<string>;
  readonly wantsHelp: boolean;
}

interface Known {
  readonly key: string;
  readonly spec: OptionSpec;
}

/** `readOnlyTmpfs` -> `read-only-tmpfs` */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** @throws UsageError that quotes the option and, when one is near, suggests it */
export function parseArguments<Specs extends OptionSpecs>(
  command: CommandSpec<Specs>,
  argv: readonly string[],
): Parsed<Specs> {
  const state = new ParseState(command.options, command.paths[0]?.join(' ') ?? '');
  const args: string[] = [];
  let wantsHelp = false;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    if (word === '--') {
      args.push(...argv.slice(i + 1));
      break;
    }
    if (word === '--help' || (word === '-h' && !state.hasShort('h'))) wantsHelp = true;
    else if (word.startsWith('--')) i += state.long(word, argv[i + 1]);
    else if (word.startsWith('-') && word.length > 1) i += state.shorts(word, argv[i + 1]);
    else if (command.stopAtArgument) {
      args.push(...argv.slice(i));
      break;
    } else args.push(word);
  }
  if (!wantsHelp) checkCount(command, args);
  return { options: state.values as OptionValues<Specs>, args, given: state.given, wantsHelp };
}

function checkCount(command: CommandSpec<OptionSpecs>, args: readonly string[]): void {
  const [least, most] = command.arguments;
  const name = command.paths[0]?.join(' ');
  const usage = `usage: tsman ${name} [OPTIONS] ${command.usage}`.trimEnd();
  if (args.length < least) {
    throw new UsageError(`${name} needs ${least === 1 ? 'an argument' : `${least} arguments`}`, {
      hint: usage,
    });
  }
  if (args.length > most)
    throw new UsageError(`${name}: unexpected argument ${JSON.stringify(args[most])}`, {
      hint: usage,
    });
}

class ParseState {
  readonly values: Record<string, boolean | string | string[] | undefined> = {};
  readonly given = new Set<string>();
  readonly #byName = new Map<string, Known>();
  readonly #byShort = new Map<string, Known>();
  readonly #command: string;

  constructor(specs: OptionSpecs, command: string) {
    this.#command = command;
    for (const [key, spec] of Object.entries(specs)) {
      const known = { key, spec };
      this.#byName.set(optionName(key), known);
      if (spec.short !== undefined) this.#byShort.set(spec.short, known);
      this.values[key] =
        spec.kind === 'flag' ? (spec.default ?? false) : spec.kind === 'list' ? [] : undefined;
    }
  }

  hasShort(letter: string): boolean {
    return this.#byShort.has(letter);
  }

  /** Returns how many further words were used up. */
  long(word: string, next: string | undefined): number {
    const equals = word.indexOf('=');
    const name = word.slice(2, equals === -1 ? undefined : equals);
    const known = this.#byName.get(name);
    if (known === undefined) throw this.#unknown(`--${name}`, name);
    if (equals !== -1) return this.#set(known, `--${name}`, word.slice(equals + 1));
    return this.#setFromNext(known, `--${name}`, next);
  }

  shorts(word: string, next: string | undefined): number {
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      const known = this.#byShort.get(letter);
      if (known === undefined) throw this.#unknown(`-${letter}`, undefined, word);
      const rest = word.slice(at + 1);
      if (rest.startsWith('=')) return this.#set(known, `-${letter}`, rest.slice(1));
      if (takesNext(known.spec))
        return rest === ''
          ? this.#setFromNext(known, `-${letter}`, next)
          : this.#set(known, `-${letter}`, rest);
      this.#setFromNext(known, `-${letter}`, undefined);
    }
    return 0;
  }

  #setFromNext(known: Known, shown: string, next: string | undefined): number {
    const { spec } = known;
    if (spec.kind === 'flag') return this.#set(known, shown, 'true');
    if (spec.kind === 'text' && spec.implied !== undefined)
      return this.#set(known, shown, spec.implied);
    if (next === undefined) throw new UsageError(`option ${shown} needs a value (${spec.value})`);
    this.#set(known, shown, next);
    return 1;
  }

  #set({ key, spec }: Known, shown: string, value: string): 0 {
    this.given.add(key);
    if (spec.kind === 'list') (this.values[key] as string[]).push(value);
    else this.values[key] = spec.kind === 'flag' ? parseBoolean(shown, value) : value;
    return 0;
  }

  #unknown(shown: string, name: string | undefined, word = shown): UsageError {
    const near = name === undefined ? undefined : nearest(name, this.#byName.keys());
    const inWord = word === shown ? '' : ` in ${word}`;
    return new UsageError(`unknown option ${shown}${inWord} for tsman ${this.#command}`, {
      hint: near === undefined ? `see tsman ${this.#command} --help` : `did you mean --${near}?`,
    });
  }
}

function takesNext(spec: OptionSpec): boolean {
  return spec.kind !== 'flag' && !(spec.kind === 'text' && spec.implied !== undefined);
}

/** The words Go's strconv.ParseBool takes. */
function parseBoolean(shown: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false;
  throw new UsageError(`option ${shown}: ${JSON.stringify(value)} is neither true nor false`);
}

/** The candidate that differs by the fewest edits, when by no more than a third of its letters. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Edits between two words, two letters the wrong way round counting as one (Damerau's distance). */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (before[j - 2] ?? 0) + 1 : substitute;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substitute, swap));
    }
    before = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
