import type { TomlTable } from './toml.ts';

/**
 * The part of TOML that distributions' containers.conf is written in: sections, and keys with strings
 * without escapes, whole numbers, booleans and lists of such strings. Undefined for whatever goes beyond;
 * then the real parser has the word, also about mistakes. This takes 0.1 ms where loading and running the
 * real one takes 1.5, which every `run` on Debian would pay: its file sets the default capabilities.
 */
export function parsePlainToml(whole: string): TomlTable | undefined {
  // Comments are nine tenths of such files. In a string of several lines they would be none, but those are
  // not plain either way, and the caller gets the text as it was.
  const text = whole.replace(/^[^\S\n]*#.*\n?/gm, '');
  const document = newTable();
  let table = document;
  const tokens = text.matchAll(TOKEN);
  let at = 0;
  for (const match of tokens) {
    if (match.index !== at) return undefined;
    at += match[0].length;
    const { section, key, value } = match.groups ?? {};
    if (section !== undefined) {
      const added = openTable(document, section);
      if (added === undefined) return undefined;
      table = added;
    } else if (key !== undefined) {
      const parsed = parseValue(value ?? '');
      if (parsed === undefined || Object.hasOwn(table, key)) return undefined;
      table[key] = parsed;
    }
  }
  return at === text.length ? document : undefined;
}

const STRING = String.raw`"[^"\\\x00-\x1f]*"|'[^'\x00-\x1f]*'`;
const GAP = String.raw`(?:\s|#[^\n]*\n)*`;
const LIST = String.raw`\[${GAP}(?:(?:${STRING})${GAP}(?:,${GAP}(?:${STRING})${GAP})*,?${GAP})?\]`;
const NAME = '[A-Za-z0-9_-]+';
// One whole line, or several where a list goes over them.
const TOKEN = new RegExp(
  String.raw`[ \t]*(?:\[(?<section>${NAME}(?:\.${NAME})*)\]|(?<key>${NAME})[ \t]*=[ \t]*(?<value>${STRING}|${LIST}|true|false|0|[1-9]\d{0,14}))?[ \t]*(?:#[^\n]*)?(?:\r?\n|$)`,
  'gy',
);

/** Without a prototype, as the real parser's: a file may say `__proto__`. */
function newTable(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

/** The table of `[a.b]`; undefined where it was opened before or is no table. */
function openTable(
  document: Record<string, unknown>,
  section: string,
): Record<string, unknown> | undefined {
  let at = document;
  const names = section.split('.');
  for (const [i, name] of names.entries()) {
    const isLast = i === names.length - 1;
    if (!Object.hasOwn(at, name)) at[name] = newTable();
    else if (isLast) return undefined;
    const next = at[name];
    if (typeof next !== 'object' || next === null || Array.isArray(next)) return undefined;
    at = next as Record<string, unknown>;
  }
  return at;
}

function parseValue(text: string): string | number | boolean | string[] | undefined {
  const first = text[0] ?? '';
  if (first === '"' || first === "'") return text.slice(1, -1);
  if (first === '[') {
    const strings = text.replace(COMMENT_OR_STRING, (it) => (it.startsWith('#') ? '' : it));
    return [...strings.matchAll(new RegExp(STRING, 'g'))].map(([quoted]) => quoted.slice(1, -1));
  }
  return text === 'true' ? true : text === 'false' ? false : Number(text);
}

const COMMENT_OR_STRING = new RegExp(String.raw`${STRING}|#[^\n]*`, 'g');
