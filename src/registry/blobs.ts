import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import { readLimited } from './body.ts';
import { RegistryError } from './error.ts';
import type { HttpResponse } from './http.ts';
import { pullScope } from './manifests.ts';
import type { RegistrySession } from './session.ts';
import { mayPass } from './transport.ts';

export interface WantedBlob {
  readonly repository: string;
  readonly digest: Digest;
  readonly size: number;
}

/** So much progress makes up for a broken connection: attempts are counted anew. */
const PROGRESS_BYTES = 1 << 20;

/**
 * Reads a blob from `offset` to its end. A connection that breaks or stalls is made again and the
 * reading goes on where it stopped (RFC 9110, Range). The bytes are not hashed here: whoever keeps
 * them has to hash them anyway, and reading a layer twice would cost.
 */
export async function* readBlob(
  session: RegistrySession,
  blob: WantedBlob,
  offset = 0,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { retries, retryDelayMs, onRetry } = session.transport.options;
  let at = offset;
  let lastStart = offset;
  for (let failures = 0; at < blob.size; ) {
    try {
      for await (const chunk of readOnce(session, blob, at)) {
        at += chunk.length;
        yield chunk;
      }
    } catch (error) {
      if (at - lastStart >= PROGRESS_BYTES) failures = 0;
      lastStart = at;
      if (!mayPass(error) || failures++ >= retries) throw error;
      const delayMs = retryDelayMs * 2 ** (failures - 1);
      onRetry?.(error, delayMs);
      await sleep(delayMs, undefined, { signal: session.signal });
    }
  }
}

async function* readOnce(
  session: RegistrySession,
  blob: WantedBlob,
  offset: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const response = await session.request({
    method: 'GET',
    path: `/v2/${blob.repository}/blobs/${blob.digest}`,
    scopes: [pullScope(blob.repository)],
    headers: { ...(offset > 0 && { range: `bytes=${offset}-` }), 'accept-encoding': 'identity' },
    expect: [200, 206],
  });
  const start = checkStart(response, blob, offset);
  let position = start;
  for await (const chunk of response.body) {
    const fresh = position < offset ? chunk.subarray(offset - position) : chunk;
    position += chunk.length;
    if (position > blob.size) throw wrongSize(blob, `more than ${blob.size} bytes came`);
    if (fresh.length > 0) yield fresh;
  }
  // A length of its own that is too short: the body ended well, and yet is not what was promised.
  if (position < blob.size) throw wrongSize(blob, `only ${position} of ${blob.size} bytes came`);
}

/** Where the answer begins: at our offset, or (no Range support) at the very beginning. */
function checkStart({ status, headers }: HttpResponse, blob: WantedBlob, offset: number): number {
  const range = /^bytes (\d+)-\d*\/(\d+|\*)$/.exec(headers['content-range'] ?? '');
  const start = status === 206 ? Number(range?.[1] ?? Number.NaN) : 0;
  if (start !== 0 && start !== offset) throw wrongSize(blob, 'the registry sent another range');
  const length = headers['content-length'];
  if (length !== undefined && Number(length) !== blob.size - start) {
    throw wrongSize(blob, `${blob.size - start} bytes expected, the registry has ${length}`);
  }
  return start;
}

function wrongSize({ digest }: WantedBlob, what: string): RegistryError {
  return new RegistryError(`blob ${digest}: wrong size: ${what}`);
}

/** Fetches a small blob (a config) whole and checks its digest. */
export async function fetchSmallBlob(
  session: RegistrySession,
  blob: WantedBlob,
  limitBytes: number,
): Promise<Buffer> {
  if (blob.size > limitBytes)
    throw wrongSize(blob, `${blob.size} bytes, the limit is ${limitBytes}`);
  const bytes = await readLimited(readBlob(session, blob), limitBytes, `blob ${blob.digest}`);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (digest !== blob.digest) {
    throw new RegistryError(`blob ${blob.digest}: wrong content: it has digest ${digest}`);
  }
  return bytes;
}
