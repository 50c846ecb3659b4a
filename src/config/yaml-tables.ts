import { TsmanError } from '../base/error.ts';

/** Tables of tables and strings: all that containers-registries.d(5) has. */
export interface YamlTable {
  readonly [key: string]: YamlTable | string;
}

interface Open {
  /** Spaces before its keys; undefined until the first one is read. */
  indent: number | undefined;
  readonly table: Record<string, YamlTable | string>;
}

const LINE = /^( *)("[^"\\]*"|'[^']*'|[^\s"'#:[\]{},&*!|>%@`-][^\s]*?|-[^\s]+?):(?:[ \t]+(.*))?$/;

/**
 * Reads block mappings with plain or quoted scalars. That is a small part of YAML; anything else is an
 * error, because a file of signature settings that is half understood is worse than none.
 * @throws TsmanError naming the line
 */
export function parseYamlTables(text: string): YamlTable {
  const root: Open = { indent: undefined, table: {} };
  const open = [root];
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = withoutComment(raw).trimEnd();
    if (line === '' || line === '---' || line === '...') continue;
    const match = LINE.exec(line);
    if (match === null) throw wrong(index, 'want KEY: VALUE');
    const [, spaces = '', key = '', value = ''] = match;
    const table = tableAt(open, spaces.length);
    if (table === undefined) throw wrong(index, 'its indentation fits nothing above');
    const name = unquoted(key);
    if (Object.hasOwn(table, name)) throw wrong(index, `${name} for the second time`);
    if (value === '' || value === '{}') {
      const child: Record<string, YamlTable | string> = {};
      table[name] = child;
      if (value === '') open.push({ indent: undefined, table: child });
    } else if (/^[[{&*!|>%@`]/.test(value)) throw wrong(index, `${value[0]} is not understood`);
    else table[name] = unquoted(value);
  }
  return root.table;
}

function tableAt(open: Open[], indent: number): Open['table'] | undefined {
  const last = open.at(-1) as Open;
  const outer = open.at(-2)?.indent ?? -1;
  if (last.indent === undefined && indent > outer) last.indent = indent;
  while (open.length > 1 && (open.at(-1)?.indent ?? Number.POSITIVE_INFINITY) > indent) open.pop();
  const found = open.at(-1) as Open;
  return found.indent === indent ? found.table : undefined;
}

/** `#` begins a comment at the line's beginning or after white space, outside quotes. */
function withoutComment(line: string): string {
  return line.replace(
    /("[^"]*"|'[^']*')|(^|\s)#.*$/g,
    (_, quoted: string | undefined) => quoted ?? '',
  );
}

function unquoted(text: string): string {
  return /^(".*"|'.*')$/.test(text) ? text.slice(1, -1) : text;
}

function wrong(index: number, why: string): TsmanError {
  return new TsmanError(`line ${index + 1}: ${why}`);
}
