import { TsmanError } from '../base/error.ts';
import type { ConfFile } from './conf-files.ts';
import { parsePlainToml } from './plain-toml.ts';

export type TomlTable = Readonly<Record<string, unknown>>;

/** Parses the files and lays each over the ones before: tables are merged, everything else replaced. */
export async function mergeToml(files: readonly ConfFile[]): Promise<TomlTable> {
  if (files.length === 0) return {};
  let merged: TomlTable = {};
  for (const { path, text } of files) merged = overlay(merged, await parseFile(path, text));
  return merged;
}

async function parseFile(path: string, text: string): Promise<TomlTable> {
  const plain = parsePlainToml(text);
  if (plain !== undefined) return plain;
  // Only who has such a file pays for the parser.
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (cause) {
    throw new TsmanError(`read ${path}`, { cause });
  }
}

/** True for a TOML table. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function overlay(base: TomlTable, added: TomlTable): TomlTable {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(added)) {
    const old = merged[key];
    if (isTable(old) && isTable(value)) merged[key] = overlay(old, value);
    else merged[key] = Array.isArray(value) ? list(old, value) : value;
  }
  return merged;
}

/** `["a", {append=true}]` adds to what earlier files say (containers.conf(5), "APPENDING TO STRING ARRAYS"). */
function list(old: unknown, value: readonly unknown[]): unknown[] {
  const entries = value.filter((entry) => !isTable(entry));
  const appends = value.some((entry) => isTable(entry) && entry['append'] === true);
  return appends && Array.isArray(old) ? [...old, ...entries] : entries;
}
