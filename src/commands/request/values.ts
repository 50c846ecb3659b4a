import { UsageError } from '../../base/error.ts';

/** Parsers of single values that several groups of options share. */

/** `NAME=VALUE` each. @throws UsageError */
export function parsePairs(option: string, values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((value) => {
      const equals = value.indexOf('=');
      if (equals < 1)
        throw new UsageError(`option ${option}: ${JSON.stringify(value)} is not NAME=VALUE`);
      return [value.slice(0, equals), value.slice(equals + 1)];
    }),
  );
}

/** @throws UsageError */
export function parseWhole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < least || value > most)
    throw new UsageError(
      `option ${option}: ${JSON.stringify(text)} is not a whole number from ${least} to ${most}`,
    );
  return value;
}

/** @throws UsageError */
export function parseUmask(text: string): number {
  if (!/^0?[0-7]{1,3}$/.test(text))
    throw new UsageError(
      `option --umask: ${JSON.stringify(text)} is not an octal mask such as 0022`,
    );
  return Number.parseInt(text, 8);
}

/** @throws UsageError */
export function parseWorkdir(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!text.startsWith('/'))
    throw new UsageError(`option --workdir: ${JSON.stringify(text)} is not an absolute path`);
  return text;
}

/** @throws UsageError */
export function parseHostname(option: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (!/^[a-zA-Z0-9_]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9_])?$/.test(text)) {
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a host name`, {
      hint: 'letters, digits, "." and "-", at most 64',
    });
  }
  return text;
}

/** A JSON array, one word, or empty for none. */
export function parseEntrypoint(text: string): string[] {
  if (text.startsWith('[')) {
    try {
      const words: unknown = JSON.parse(text);
      if (Array.isArray(words) && words.every((word) => typeof word === 'string')) return words;
    } catch {
      // Not JSON after all: a program whose name begins with a bracket.
    }
  }
  return text === '' ? [] : [text];
}

// personality(2), <sys/personality.h>
const PERSONAS: Readonly<Record<string, number>> = {
  LINUX: 0,
  LINUX32: 8,
  ADDR_COMPAT_LAYOUT: 0x0200000,
  ADDR_LIMIT_32BIT: 0x0800000,
  ADDR_LIMIT_3GB: 0x8000000,
  ADDR_NO_RANDOMIZE: 0x0040000,
  MMAP_PAGE_ZERO: 0x0100000,
  READ_IMPLIES_EXEC: 0x0400000,
  SHORT_INODE: 0x1000000,
  STICKY_TIMEOUTS: 0x4000000,
  UNAME26: 0x0020000,
  WHOLE_SECONDS: 0x2000000,
};

/** `LINUX32`, or several names joined by `|`. @throws UsageError */
export function parsePersonality(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  let bits = 0;
  for (const word of text.split('|')) {
    const bit = PERSONAS[word.trim().toUpperCase()];
    if (bit === undefined)
      throw new UsageError(`option --personality: unknown ${JSON.stringify(word)}`, {
        hint: `known are ${Object.keys(PERSONAS).join(', ')}`,
      });
    bits |= bit;
  }
  return bits;
}

/** How many descriptors from 3 on are passed; a list must not leave one out. @throws UsageError */
export function parsePreservedFds(count: string | undefined, list: readonly string[]): number {
  const numbers = list.flatMap((text) => text.split(',')).map((text) => Number(text));
  if (count !== undefined && numbers.length > 0)
    throw new UsageError('options --preserve-fd and --preserve-fds exclude each other');
  if (count !== undefined) return parseWhole('--preserve-fds', count, 0, 1000);
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (sorted.some((number, at) => number !== at + 3))
    throw new UsageError(`option --preserve-fd ${list.join()}: want 3, 4, … without a gap`, {
      hint: 'the shell can renumber them: tsman run --preserve-fd 3 … 3<&7',
    });
  return sorted.length;
}
