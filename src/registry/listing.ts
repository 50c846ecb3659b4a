import { readLimited } from './body.ts';
import { RegistryError } from './error.ts';
import { pullScope } from './manifests.ts';
import type { RegistrySession } from './session.ts';

const MAX_PAGE_BYTES = 16 << 20;
const MAX_PAGES = 1000;

/** The tags of a repository, page by page, in the registry's order. */
export async function* listTags(
  session: RegistrySession,
  repository: string,
): AsyncGenerator<string> {
  for await (const page of pages(session, `/v2/${repository}/tags/list`, [pullScope(repository)])) {
    yield* strings(page['tags']);
  }
}

/** The repositories of a registry that has a catalogue. */
export async function* listRepositories(session: RegistrySession): AsyncGenerator<string> {
  for await (const page of pages(session, '/v2/_catalog?n=1000', ['registry:catalog:*'])) {
    yield* strings(page['repositories']);
  }
}

export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly stars: number;
  readonly isOfficial: boolean;
}

/**
 * Searches by Docker's v1 interface, which Docker Hub and Quay keep for this purpose; undefined
 * when the registry has none.
 */
export async function searchV1(
  session: RegistrySession,
  term: string,
  limit: number,
): Promise<SearchResult[] | undefined> {
  const host = session.registry === 'docker.io' ? 'https://index.docker.io' : '';
  const path = `/v1/search?q=${encodeURIComponent(term)}&n=${limit}`;
  const response = await session.request({
    method: 'GET',
    path: host === '' ? path : new URL(path, host),
    scopes: [],
    expect: [200, 401, 403, 404, 405],
  });
  if (response.status !== 200) {
    response.discard();
    return undefined;
  }
  const { results } = parse(await readLimited(response.body, MAX_PAGE_BYTES, 'search'), 'search');
  return Array.isArray(results) ? results.slice(0, limit).map(readResult) : [];
}

function readResult(value: unknown): SearchResult {
  const row = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return {
    name: String(row['name'] ?? ''),
    description: String(row['description'] ?? ''),
    stars: Number(row['star_count'] ?? 0),
    isOfficial: row['is_official'] === true,
  };
}

/** Succeeds when the registry takes our credentials (or wants none). */
export async function ping(session: RegistrySession): Promise<void> {
  const response = await session.request({
    method: 'GET',
    path: '/v2/',
    scopes: [],
    expect: [200],
  });
  response.discard();
}

async function* pages(
  session: RegistrySession,
  first: string,
  scopes: readonly string[],
): AsyncGenerator<Record<string, unknown>> {
  let path: string | undefined = first;
  for (let page = 0; path !== undefined && page < MAX_PAGES; page++) {
    const response = await session.request({ method: 'GET', path, scopes, expect: [200] });
    yield parse(await readLimited(response.body, MAX_PAGE_BYTES, `GET ${first}`), first);
    path = nextPage(response.headers['link']?.toString(), response.url);
  }
}

/** RFC 8288's `<url>; rel="next"`; only at the same registry. */
function nextPage(link: string | undefined, base: URL): string | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? '')?.[1];
  const url = target === undefined ? null : URL.parse(target, base.href);
  return url === null || url.origin !== base.origin ? undefined : `${url.pathname}${url.search}`;
}

function parse(body: Buffer, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new RegistryError(`${what}: the registry's answer is not a JSON object`);
}

/** What a stranger says is a name: printable, short, no control characters for the terminal. */
function* strings(value: unknown): Generator<string> {
  if (!Array.isArray(value)) return;
  for (const entry of value) {
    if (typeof entry === 'string' && /^[\x21-\x7e]{1,300}$/.test(entry)) yield entry;
  }
}
