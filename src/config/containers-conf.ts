import { TsmanError } from '../base/error.ts';
import { type ConfFile, type ConfSearch, findConfFiles } from './conf-files.ts';
import { KEYS } from './containers-conf-keys.ts';
import { isTable, mergeToml, type TomlTable } from './toml.ts';

/** What containers.conf(5) says, checked: `values['containers.env']` is a list of strings. */
export interface ContainersConf {
  /** The files that were read, in order. */
  readonly files: readonly string[];
  readonly values: ReadonlyMap<string, ConfValue>;
  /** `section.key` that tsman does not know. */
  readonly unknown: readonly string[];
  /** Known, set, and not honoured, with the reason. */
  readonly ignored: readonly { readonly key: string; readonly because: string }[];
}

export type ConfValue = string | number | boolean | readonly string[];

const NOTHING: ContainersConf = { files: [], values: new Map(), unknown: [], ignored: [] };

/** Reads what there is. Without a file, or with comments only, no parser is loaded. */
export async function loadContainersConf(
  search: ConfSearch,
  files: readonly ConfFile[] = findConfFiles('containers', search),
): Promise<ContainersConf> {
  if (files.length === 0) return NOTHING;
  const document = await mergeToml(files);
  const paths = files.map(({ path }) => path);
  try {
    return { files: paths, ...sort(document) };
  } catch (cause) {
    throw new TsmanError(`read ${paths.join(', ')}`, { cause });
  }
}

function sort(document: TomlTable): Omit<ContainersConf, 'files'> {
  const values = new Map<string, ConfValue>();
  const unknown: string[] = [];
  const ignored: { key: string; because: string }[] = [];
  for (const [section, table] of Object.entries(document)) {
    for (const [name, value] of Object.entries(isTable(table) ? table : { '': table })) {
      const key = name === '' ? section : `${section}.${name}`;
      const kind = KEYS[key] ?? KEYS[section];
      if (kind === undefined) unknown.push(key);
      else if (kind.startsWith('ignored: '))
        ignored.push({ key, because: kind.slice('ignored: '.length) });
      else values.set(key, checked(key, kind, value));
    }
  }
  return { values, unknown, ignored };
}

function checked(key: string, kind: string, value: unknown): ConfValue {
  if (kind === 'text' && typeof value === 'string') return value;
  if (kind === 'flag' && typeof value === 'boolean') return value;
  if (kind === 'number' && typeof value === 'number') return value;
  if (kind === 'list' && isStrings(value)) return value;
  const words: Readonly<Record<string, string>> = {
    text: 'a string',
    flag: 'true or false',
    number: 'a number',
    list: 'a list of strings',
  };
  throw new TsmanError(`${key} is not ${words[kind]}`);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string');
}
