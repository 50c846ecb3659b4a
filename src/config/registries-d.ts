import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { userContainersPath } from './paths.ts';
import { isTable, type TomlTable } from './toml.ts';
import { parseYaml } from './yaml.ts';

/**
 * Whether signatures lie in the registry beside the image (`use-sigstore-attachments`), by
 * containers-registries.d(5): the user's directory, else the system's; the longest scope that says
 * something wins, then `default-docker`; unsaid it is false.
 */
export async function usesSigstoreAttachments(
  reference: Reference,
  env: NodeJS.ProcessEnv = process.env,
): Promise<boolean> {
  const directories = [userContainersPath('registries.d', env), '/etc/containers/registries.d'];
  const directory = directories.find((path) => existsSync(path));
  if (directory === undefined) return false;
  const names = readdirSync(directory).filter((name) => name.endsWith('.yaml'));
  let fallback: boolean | undefined;
  const byScope = new Map<string, boolean>();
  for (const name of names.sort()) {
    const path = join(directory, name);
    const document = await readDocument(path);
    fallback ??= attachments(document['default-docker'], path);
    const docker = document['docker'];
    if (!isTable(docker)) continue;
    for (const [scope, table] of Object.entries(docker)) {
      const value = attachments(table, path);
      if (value !== undefined) byScope.set(scope, value);
    }
  }
  const said = scopesOf(reference).find((scope) => byScope.has(scope));
  return (said === undefined ? fallback : byScope.get(said)) ?? false;
}

async function readDocument(path: string): Promise<TomlTable> {
  try {
    const document = (await parseYaml(readIfExists(path) ?? '')) ?? {};
    if (isTable(document)) return document;
    throw new Error('want keys with values');
  } catch (cause) {
    throw new TsmanError(`read ${path}`, { cause });
  }
}

function attachments(table: unknown, path: string): boolean | undefined {
  const value = isTable(table) ? table['use-sigstore-attachments'] : undefined;
  if (value === undefined || typeof value === 'boolean') return value;
  throw new TsmanError(`read ${path}: use-sigstore-attachments is neither true nor false`);
}

/** The most specific first: the full reference, the repository, its parents, the host, `*.` domains. */
function scopesOf(reference: Reference): string[] {
  const { registry, repository } = reference;
  const parts = `${registry}/${repository}`.split('/');
  const paths = parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
  const labels = registry.replace(/:\d+$/, '').split('.');
  const domains = labels.slice(1).map((_, i) => `*.${labels.slice(i + 1).join('.')}`);
  return [formatReference(reference), ...paths, ...domains];
}
