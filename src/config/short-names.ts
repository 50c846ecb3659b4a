import { dirname, join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { ensurePrivateDirectory, readIfExists, writeAtomically } from '../base/file.ts';
import { withLockFile } from '../base/lock-file.ts';
import {
  formatReference,
  hasRegistry,
  parseReference,
  type Reference,
  repositoryName,
} from '../oci/reference.ts';
import { homeDirectory } from './paths.ts';
import { parseRegistries, type RegistriesConfig } from './registries.ts';

/** Asks the user which one is meant. */
export type ChooseName = (typed: string, candidates: readonly Reference[]) => Promise<Reference>;

/**
 * The full references a typed name may mean, in the order to try. A name without a registry: its
 * alias, else each unqualified-search registry, else Docker Hub, as in Docker.
 */
export function resolveTypedName(config: RegistriesConfig, typed: string): Reference[] {
  const hub = parseReference(typed);
  if (hasRegistry(typed)) return [hub];
  const name = bareName(typed);
  const alias = config.aliases.get(name);
  if (alias !== undefined && alias !== '') {
    const { registry, repository } = parseReference(alias);
    return [{ ...hub, registry, repository }];
  }
  const search = config.unqualifiedSearchRegistries;
  if (search.length === 0) return [hub];
  return search.map((registry) =>
    parseReference(formatReference({ ...hub, registry, repository: name })),
  );
}

/**
 * The same, settled by short-name-mode (containers-registries.conf(5)): who can be asked is asked;
 * else `enforcing` refuses, and `permissive` tries one after the other, as `disabled` always does.
 */
export async function settleTypedName(
  config: RegistriesConfig,
  typed: string,
  choose: ChooseName | undefined,
): Promise<{ references: Reference[]; isChosen: boolean }> {
  const references = resolveTypedName(config, typed);
  if (references.length === 1 || config.shortNameMode === 'disabled')
    return { references, isChosen: false };
  if (choose !== undefined)
    return { references: [await choose(typed, references)], isChosen: true };
  if (config.shortNameMode === 'permissive') return { references, isChosen: false };
  const names = references.map(repositoryName).join(', ');
  throw new TsmanError(`${typed} may mean ${names}, and there is no terminal to ask on`, {
    hint: 'give the full name, or an alias, or set short-name-mode = "permissive" in registries.conf',
  });
}

/** The aliases that were chosen before; Podman and Skopeo keep them in the same file. */
export async function readAliasCache(
  env: NodeJS.ProcessEnv = process.env,
): Promise<ReadonlyMap<string, string>> {
  const path = aliasCachePath(env);
  const text = readIfExists(path);
  return (
    (text === undefined ? undefined : (await parseRegistries(text, path)).aliases) ?? new Map()
  );
}

/** Remembers what a short name means, once it was pulled. */
export async function recordAlias(
  typed: string,
  reference: Reference,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const path = aliasCachePath(env);
  ensurePrivateDirectory(dirname(path));
  await withLockFile(path, async () => {
    const aliases = new Map(await readAliasCache(env));
    aliases.set(bareName(typed), repositoryName(reference));
    const lines = [...aliases].sort().map(([name, target]) => `  "${name}" = "${target}"\n`);
    writeAtomically(path, `[aliases]\n${lines.join('')}`, 0o644);
  });
}

function aliasCachePath(env: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return '/var/cache/containers/short-name-aliases.conf';
  const cache = env['XDG_CACHE_HOME'];
  const base = cache?.startsWith('/') ? cache : join(homeDirectory(env), '.cache');
  return join(base, 'containers/short-name-aliases.conf');
}

/** Without tag and digest. */
function bareName(typed: string): string {
  return typed.replace(/[:@].*$/, '');
}
