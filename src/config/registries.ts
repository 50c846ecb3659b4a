import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { userContainersPath } from './paths.ts';
import { isTable, type RegistryRule, readChoice, readRules } from './registry-rules.ts';

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
    const document: Record<string, unknown> = parse(text);
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
      rules: readRules(document['registry']),
    };
  } catch (cause) {
    throw new TsmanError(`read ${path}`, { cause });
  }
}

function readStrings(value: unknown, key: string): string[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
  throw new TsmanError(`${key} is not a list of strings`);
}

function readAliases(value: unknown): Map<string, string> {
  if (value === undefined) return new Map();
  if (!isTable(value)) throw new TsmanError('aliases is not a table');
  return new Map(Object.entries(value).map(([name, target]) => [name, String(target)]));
}
