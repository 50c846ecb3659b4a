import { TsmanError } from '../base/error.ts';

/*
 * The YAML that programs write (YAML 1.2, block style): mappings, sequences, scalars on one line, comments.
 * What else there is (anchors, tags, flow collections, scalars of several lines) is refused, by line:
 * half-understood configuration is worse than none.
 */

export type YamlValue =
  | string
  | number
  | boolean
  | null
  | readonly YamlValue[]
  | { readonly [key: string]: YamlValue };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

/** @throws TsmanError that names the first line beyond it */
export function parsePlainYaml(text: string): YamlValue {
  const reader = new Reader(text.split('\n').flatMap(toLine));
  const value = reader.block(0);
  reader.end();
  return value;
}

function toLine(raw: string, index: number): Line[] {
  const text = raw.replace(/\r$/, '');
  const content = text.trimStart();
  if (content === '' || content.startsWith('#') || (index === 0 && text === '---')) return [];
  const line = { number: index + 1, indent: text.length - content.length, text: content.trimEnd() };
  if (/^ *\t/.test(text)) throw beyond(line, 'a tab as indentation');
  if (/^(---|\.\.\.|%)/.test(text)) throw beyond(line, 'several documents or directives');
  return [line];
}

function beyond({ number }: Line, what: string): TsmanError {
  return new TsmanError(`line ${number}: ${what} is not understood`, {
    hint: 'write it as JSON, which is YAML, too, in a file that ends with .json',
  });
}

const KEY = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\w./-]+) *:(?: +(.*))?$/;

class Reader {
  readonly #lines: Line[];
  #at = 0;

  constructor(lines: Line[]) {
    this.#lines = lines;
  }

  end(): void {
    const line = this.#lines[this.#at];
    if (line !== undefined) throw beyond(line, 'this indentation');
  }

  /** What begins on the next line, if it is indented at least so far; else null. */
  block(least: number): YamlValue {
    const line = this.#lines[this.#at];
    if (line === undefined || line.indent < least) return null;
    if (isItem(line)) return this.#sequence(line.indent);
    if (KEY.test(line.text)) return this.#mapping(line.indent);
    this.#at++;
    return scalar(line, line.text);
  }

  #sequence(indent: number): YamlValue[] {
    const items: YamlValue[] = [];
    for (;;) {
      const line = this.#lines[this.#at];
      if (line === undefined || line.indent !== indent || !isItem(line)) return items;
      const content = line.text.slice(1).trimStart();
      const column = indent + line.text.length - content.length;
      if (content === '' || content.startsWith('#')) this.#at++;
      else this.#lines[this.#at] = { ...line, indent: column, text: content };
      items.push(this.block(indent + 1));
    }
  }

  #mapping(indent: number): { readonly [key: string]: YamlValue } {
    const entries: [string, YamlValue][] = [];
    for (;;) {
      const line = this.#lines[this.#at];
      if (line === undefined || line.indent !== indent || isItem(line)) break;
      const [, name = '', rest = ''] = KEY.exec(line.text) ?? [];
      if (name === '') throw beyond(line, 'what is no "key: value"');
      const key = String(/^["']/.test(name) ? scalar(line, name) : name);
      if (key === '__proto__' || entries.some(([other]) => other === key))
        throw beyond(line, `the key ${key} here`);
      this.#at++;
      const isEmpty = rest === '' || rest.startsWith('#');
      entries.push([key, isEmpty ? this.#below(indent) : scalar(line, rest)]);
    }
    return Object.fromEntries(entries);
  }

  /** A key's sequence may stand in the key's own column. */
  #below(indent: number): YamlValue {
    const line = this.#lines[this.#at];
    if (line?.indent === indent && isItem(line)) return this.#sequence(indent);
    return this.block(indent + 1);
  }
}

function isItem({ text }: Line): boolean {
  return text === '-' || text.startsWith('- ');
}

function scalar(line: Line, text: string): YamlValue {
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?: +#.*)?$/.exec(text)?.[1];
  if (quoted?.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  if (quoted !== undefined) return unescaped(line, quoted);
  const plain = text.replace(/ +#.*$/, '');
  if (plain === '{}') return {};
  if (plain === '[]') return [];
  if (/^[&*!|>@`[{\]},?"'%]/.test(plain) || /: |:$/.test(plain))
    throw beyond(line, JSON.stringify(plain.slice(0, 40)));
  if (plain === '~' || plain === 'null') return null;
  if (plain === 'true' || plain === 'false') return plain === 'true';
  if (/^-?(0|[1-9]\d{0,14})$/.test(plain)) return Number(plain);
  if (/^0o?[0-7]+$/.test(plain)) return Number.parseInt(plain.replace('o', ''), 8);
  return plain;
}

function unescaped(line: Line, quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw beyond(line, quoted.slice(0, 40));
  }
}
