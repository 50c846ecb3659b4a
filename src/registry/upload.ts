import type { Digest } from '../oci/digest.ts';
import { hasStatus, RegistryError } from './error.ts';
import type { HttpResponse } from './http.ts';
import { pullScope, pushScope } from './manifests.ts';
import type { RegistrySession } from './session.ts';
import { mayPass } from './transport.ts';

export interface BlobSource {
  readonly digest: Digest;
  readonly size: number;
  /** The bytes from the beginning; called again when an upload has to be repeated. */
  open(): AsyncIterable<Uint8Array>;
}

export interface UploadOptions {
  /** Repositories of the same registry that may have the blob already (cross-repository mount). */
  readonly mountFrom?: string | undefined;
  /** Send in pieces of this size; otherwise in one. */
  readonly chunkBytes?: number | undefined;
}

/** The least that any proxy's limit lets through, of those people meet; a chunk is held in memory. */
const FALLBACK_CHUNK_BYTES = 8 << 20;

/** What became of an upload. */
export type UploadOutcome = 'uploaded' | 'mounted';

export async function hasRemoteBlob(
  session: RegistrySession,
  repository: string,
  digest: Digest,
): Promise<boolean> {
  const response = await session.request({
    method: 'HEAD',
    path: `/v2/${repository}/blobs/${digest}`,
    scopes: [pushScope(repository)],
    expect: [200, 404],
  });
  response.discard();
  return response.status === 200;
}

/** Uploads a blob, or has the registry mount it from another of its repositories. */
export async function uploadBlob(
  session: RegistrySession,
  repository: string,
  blob: BlobSource,
  options: UploadOptions = {},
): Promise<UploadOutcome> {
  const { retries, onRetry } = session.transport.options;
  let { chunkBytes } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await uploadOnce(session, repository, blob, { ...options, chunkBytes });
    } catch (error) {
      const isTooLarge = hasStatus(error, 413) && chunkBytes === undefined;
      if (isTooLarge && blob.size > FALLBACK_CHUNK_BYTES) {
        // Proxies in front of registries limit a request, not a blob.
        chunkBytes = FALLBACK_CHUNK_BYTES;
        continue;
      }
      if (!mayPass(error) || attempt >= retries) throw error;
      onRetry?.(error, 0);
    }
  }
}

async function uploadOnce(
  session: RegistrySession,
  repository: string,
  blob: BlobSource,
  { mountFrom, chunkBytes }: UploadOptions,
): Promise<UploadOutcome> {
  const mount =
    mountFrom === undefined ? '' : `?mount=${blob.digest}&from=${encodeURIComponent(mountFrom)}`;
  const scopes = [
    pushScope(repository),
    ...(mountFrom === undefined ? [] : [pullScope(mountFrom)]),
  ];
  const started = await session.request({
    method: 'POST',
    path: `/v2/${repository}/blobs/uploads/${mount}`,
    scopes,
    headers: { 'content-length': '0' },
    expect: [201, 202],
  });
  started.discard();
  if (started.status === 201) return 'mounted';
  let location = uploadLocation(started);
  let body: BlobSource['open'] | undefined = blob.open;
  if (chunkBytes !== undefined) {
    location = await sendChunks(session, repository, blob, { location, chunkBytes });
    body = undefined;
  }
  location.searchParams.set('digest', blob.digest);
  const finished = await session.request({
    method: 'PUT',
    path: location,
    scopes: [pushScope(repository)],
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(body === undefined ? 0 : blob.size),
    },
    body: body?.(),
    canRepeat: false,
    expect: [200, 201, 204],
  });
  finished.discard();
  return 'uploaded';
}

/** distribution-spec, "Pushing a blob in chunks": each PATCH says where it begins and names the next place. */
async function sendChunks(
  session: RegistrySession,
  repository: string,
  blob: BlobSource,
  { location, chunkBytes }: { location: URL; chunkBytes: number },
): Promise<URL> {
  let next = location;
  let offset = 0;
  for await (const chunk of inChunks(blob.open(), chunkBytes)) {
    const response = await session.request({
      method: 'PATCH',
      path: next,
      scopes: [pushScope(repository)],
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(chunk.length),
        'content-range': `${offset}-${offset + chunk.length - 1}`,
      },
      body: chunk,
      canRepeat: false,
      expect: [202, 204],
    });
    response.discard();
    next = uploadLocation(response);
    offset += chunk.length;
  }
  return next;
}

async function* inChunks(source: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source) {
    parts.push(part);
    size += part.length;
    if (size < bytes) continue;
    yield Buffer.concat(parts, size);
    parts = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(parts, size);
}

function uploadLocation({ headers, url }: HttpResponse): URL {
  const location = URL.parse(headers.location ?? '', url.href);
  if (headers.location === undefined || location === null) {
    throw new RegistryError(`POST ${url.pathname}: the registry gave no place to upload to`);
  }
  return location;
}
