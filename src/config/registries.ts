import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { userContainersPath } from './paths.ts';

/** One `[[registry]]` of registries.conf; see containers-registries.conf(5). */
export interface RegistryRule {
  /** What a reference must begin with: `host[:port][/path]` or `*.example.com`. */
  readonly prefix: string;
  /** What takes the prefix's place; undefined: nothing does. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFrom: 'all' | 'digest-only' | 'tag-only';
}

export interface RegistriesConfig {
  readonly unqualifiedSearchRegistries: readonly string[];
  readonly shortNameMode: 'enforcing' | 'permissive' | 'disabled';
  readonly aliases: ReadonlyMap<string, string>;
  readonly rules: readonly RegistryRule[];
  /** Programs that keep credentials, in order; `containers-auth.json` stands for the files. */
  readonly credentialHelpers: readonly string[];
}

/** What registries.conf calls auth.json and its like, between credential helpers. */
export const AUTH_FILES = 'containers-auth.json';

const SYSTEM_CONF = '/etc/containers/registries.conf';
const NOTHING: RegistriesConfig = {
  unqualifiedSearchRegistries: [],
  shortNameMode: 'permissive',
  aliases: new Map(),
  rules: [],
  credentialHelpers: [AUTH_FILES],
};

/**
 * Reads registries.conf and its drop-ins: $CONTAINERS_REGISTRIES_CONF, else the user's, else the
 * system's; then every registries.conf.d, the user's last. Later files win.
 */
export async function loadRegistries(
  env: NodeJS.ProcessEnv = process.env,
): Promise<RegistriesConfig> {
  let config = NOTHING;
  for (const path of registriesFiles(env))
    config = merge(config, await parseRegistries(readIfExists(path) ?? '', path));
  return config;
}

/** The files that loadRegistries reads, in order. */
export function registriesFiles(env: NodeJS.ProcessEnv = process.env): string[] {
  const userConf = userContainersPath('registries.conf', env);
  const forced = env['CONTAINERS_REGISTRIES_CONF'];
  const main = forced ? [forced] : [userConf, SYSTEM_CONF];
  const first = main.find((path) => readIfExists(path) !== undefined);
  return [
    ...(first === undefined ? [] : [first]),
    ...dropIns(`${SYSTEM_CONF}.d`),
    ...dropIns(`${userConf}.d`),
  ];
}

function dropIns(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith('.conf'));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'EACCES'))
      return [];
    throw error;
  }
}

function merge(base: RegistriesConfig, added: Partial<RegistriesConfig>): RegistriesConfig {
  const replaced = new Set(added.rules?.map(({ prefix }) => prefix));
  return {
    unqualifiedSearchRegistries:
      added.unqualifiedSearchRegistries ?? base.unqualifiedSearchRegistries,
    shortNameMode: added.shortNameMode ?? base.shortNameMode,
    credentialHelpers: added.credentialHelpers ?? base.credentialHelpers,
    aliases: new Map([...base.aliases, ...(added.aliases ?? [])]),
    rules: [...base.rules.filter(({ prefix }) => !replaced.has(prefix)), ...(added.rules ?? [])],
  };
}

/** Parses one file. @throws TsmanError naming the file and the key */
export async function parseRegistries(
  text: string,
  path: string,
): Promise<Partial<RegistriesConfig>> {
  // Only commands that talk to registries pay for the TOML parser.
  const { parse } = await import('smol-toml');
  try {
    const document: Table = parse(text);
    if (isTable(document['registries']))
      throw new TsmanError('it has version 1, which is no longer read');
    const search = document['unqualified-search-registries'];
    const mode = document['short-name-mode'];
    const helpers = document['credential-helpers'];
    return {
      ...(search !== undefined && {
        unqualifiedSearchRegistries: readStrings(search, 'unqualified-search-registries'),
      }),
      ...(mode !== undefined && {
        shortNameMode: readChoice(mode, 'short-name-mode', ['enforcing', 'permissive', 'disabled']),
      }),
      ...(helpers !== undefined && {
        credentialHelpers: readStrings(helpers, 'credential-helpers'),
      }),
      aliases: readAliases(document['aliases']),
      rules: readTables(document['registry'], 'registry').map(readRule),
    };
  } catch (cause) {
    throw new TsmanError(`read ${path}`, { cause });
  }
}

type Table = Record<string, unknown>;

function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readRule(table: Table): RegistryRule {
  const location = readText(table, 'location');
  const prefix = readText(table, 'prefix') ?? location;
  if (prefix === undefined || prefix === '')
    throw new TsmanError('[[registry]] without prefix and location');
  if (prefix.startsWith('*.') && prefix.includes('/')) {
    throw new TsmanError(`prefix ${prefix}: with *. only a host may follow`);
  }
  const byDigestOnly = readFlag(table, 'mirror-by-digest-only');
  return {
    prefix: prefix.replace(/\/+$/, ''),
    location: location?.replace(/\/+$/, ''),
    insecure: readFlag(table, 'insecure'),
    blocked: readFlag(table, 'blocked'),
    mirrors: readTables(table['mirror'], 'mirror').map((mirror) =>
      readMirror(mirror, byDigestOnly),
    ),
  };
}

function readMirror(table: Table, byDigestOnly: boolean): Mirror {
  const location = readText(table, 'location');
  if (location === undefined || location === '')
    throw new TsmanError('[[registry.mirror]] without location');
  const pullFrom = table['pull-from-mirror'];
  return {
    location: location.replace(/\/+$/, ''),
    insecure: readFlag(table, 'insecure'),
    pullFrom:
      pullFrom === undefined
        ? byDigestOnly
          ? 'digest-only'
          : 'all'
        : readChoice(pullFrom, 'pull-from-mirror', ['all', 'digest-only', 'tag-only']),
  };
}

function readText(table: Table, key: string): string | undefined {
  const value = table[key];
  if (value === undefined || typeof value === 'string') return value;
  throw new TsmanError(`${key} is not a string`);
}

function readFlag(table: Table, key: string): boolean {
  const value = table[key];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new TsmanError(`${key} is neither true nor false`);
}

function readTables(value: unknown, key: string): Table[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isTable)) return value;
  throw new TsmanError(`${key} is not a list of tables`);
}

function readStrings(value: unknown, key: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new TsmanError(`${key} is not a list of strings`);
}

function readChoice<T extends string>(value: unknown, key: string, choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new TsmanError(`${key} is none of ${choices.join(', ')}`);
  return found;
}

function readAliases(value: unknown): Map<string, string> {
  if (value === undefined) return new Map();
  if (!isTable(value)) throw new TsmanError('aliases is not a table');
  return new Map(Object.entries(value).map(([name, target]) => [name, String(target)]));
}
