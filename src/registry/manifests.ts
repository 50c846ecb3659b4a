import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import { readLimited } from './body.ts';
import { RegistryError } from './error.ts';
import type { RegistrySession } from './session.ts';

export interface FetchedManifest {
  /** As they came: the digest is over these bytes. */
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly mediaType: string;
}

/** distribution-spec, "Pushing Manifests": registries should take 4 MiB. */
const MAX_MANIFEST_BYTES = 4 << 20;
const ACCEPT = [
  MEDIA_TYPE.ociIndex,
  MEDIA_TYPE.ociManifest,
  MEDIA_TYPE.dockerList,
  MEDIA_TYPE.dockerManifest,
].join(', ');

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/**
 * Fetches a manifest or index by tag or digest. By digest the content must have that digest; by
 * tag it must have the one the registry announces, when it announces one.
 */
export async function fetchManifest(
  session: RegistrySession,
  repository: string,
  tagOrDigest: string,
): Promise<FetchedManifest> {
  const what = `manifest ${tagOrDigest} of ${session.registry}/${repository}`;
  const response = await session.request({
    method: 'GET',
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    scopes: [pullScope(repository)],
    headers: { accept: ACCEPT },
    expect: [200],
  });
  const bytes = await readLimited(response.body, MAX_MANIFEST_BYTES, what);
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const announced = response.headers['docker-content-digest'];
  const wanted = tagOrDigest.includes(':') ? tagOrDigest : announced?.toString();
  if (wanted?.startsWith('sha256:') && wanted !== digest) {
    throw new RegistryError(`${what}: wrong content: wanted ${wanted}, got ${digest}`);
  }
  return { bytes, digest, mediaType: bareType(response.headers['content-type']) };
}

function bareType(contentType: string | undefined): string {
  return contentType?.split(';')[0]?.trim() ?? '';
}

/** The digest a tag has now; undefined when there is no such tag. */
export async function headManifest(
  session: RegistrySession,
  repository: string,
  tagOrDigest: string,
): Promise<string | undefined> {
  const response = await session.request({
    method: 'HEAD',
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    scopes: [pullScope(repository)],
    headers: { accept: ACCEPT },
    expect: [200, 404],
  });
  response.discard();
  return response.status === 200
    ? response.headers['docker-content-digest']?.toString()
    : undefined;
}

/** Stores a manifest or index under a tag or its digest. */
export async function putManifest(
  session: RegistrySession,
  repository: string,
  tagOrDigest: string,
  manifest: { bytes: Uint8Array; mediaType: string },
): Promise<void> {
  const response = await session.request({
    method: 'PUT',
    path: `/v2/${repository}/manifests/${tagOrDigest}`,
    scopes: [pushScope(repository)],
    headers: {
      'content-type': manifest.mediaType,
      'content-length': String(manifest.bytes.length),
    },
    body: manifest.bytes,
    expect: [200, 201, 202],
  });
  response.discard();
}
