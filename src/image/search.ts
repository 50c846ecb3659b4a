import { TsmanError } from '../base/error.ts';
import { ownEndpoint } from '../config/endpoints.ts';
import { loadRegistries } from '../config/registries.ts';
import { hasRegistry, parseReference } from '../oci/reference.ts';
import { listRepositories, listTags, type SearchResult, searchV1 } from '../registry/listing.ts';
import { openEndpoint, type RegistryAccess } from './registry-access.ts';

export interface FoundRepository extends SearchResult {
  /** The registry asked. */
  readonly index: string;
}

/** Searches one registry (`host/term`), else every unqualified-search registry, else Docker Hub. */
export async function searchImages(
  typed: string,
  limit: number,
  access: RegistryAccess,
): Promise<FoundRepository[]> {
  const config = await loadRegistries();
  const slash = typed.indexOf('/');
  const isQualified = slash > 0 && hasRegistry(typed.endsWith('/') ? `${typed}x` : typed);
  const registries = isQualified ? [typed.slice(0, slash)] : config.unqualifiedSearchRegistries;
  const term = isQualified ? typed.slice(slash + 1) : typed;
  const found: FoundRepository[] = [];
  for (const registry of registries.length > 0 ? registries : ['docker.io']) {
    const endpoint = ownEndpoint(config, { registry, repository: term || 'search' });
    const session = openEndpoint(endpoint, access);
    try {
      const results =
        (await searchV1(session, term, limit)) ?? (await searchCatalogue(session, term, limit));
      found.push(
        ...results.map((result) => ({
          ...result,
          name: `${registry}/${result.name}`,
          index: registry,
        })),
      );
    } catch (cause) {
      throw new TsmanError(`search ${registry}`, { cause });
    } finally {
      session.close();
    }
  }
  return found;
}

async function searchCatalogue(
  session: Parameters<typeof listRepositories>[0],
  term: string,
  limit: number,
): Promise<SearchResult[]> {
  const results: SearchResult[] = [];
  for await (const name of listRepositories(session)) {
    if (!name.includes(term)) continue;
    results.push({ name, description: '', stars: 0, isOfficial: false });
    if (results.length >= limit) break;
  }
  return results;
}

/** The tags of one repository, at most `limit`. */
export async function searchTags(
  typed: string,
  limit: number,
  access: RegistryAccess,
): Promise<{ name: string; tags: string[] }> {
  const config = await loadRegistries();
  const reference = parseReference(typed);
  const endpoint = ownEndpoint(config, reference);
  const tags: string[] = [];
  const session = openEndpoint(endpoint, access);
  try {
    for await (const tag of listTags(session, endpoint.repository))
      if (tags.push(tag) >= limit) break;
  } finally {
    session.close();
  }
  return { name: `${reference.registry}/${reference.repository}`, tags };
}
