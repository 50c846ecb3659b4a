import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode } from '../base/error.ts';
import { startTimeOf } from '../base/process.ts';
import type { Digest } from '../oci/digest.ts';
import { blobKind, ingestPath } from './blobs.ts';
import type { Storage } from './storage.ts';

/*
 * The beginning of a blob that an earlier pull got before it was killed or cut off. It lies in
 * ingest/ under the blob's digest; whoever takes it hashes it with the rest, so nothing is trusted.
 */

export interface PartialBlob {
  readonly path: string;
  readonly sizeBytes: number;
}

/** Takes over the longest beginning that a dead process left; the caller removes it in the end. */
export function claimPartialBlob(
  storage: Storage,
  digest: Digest,
  sizeBytes: number,
): PartialBlob | undefined {
  const mine = ingestPath(storage, `${blobKind(digest)}.claimed`);
  const directory = dirname(mine);
  const found = fs
    .readdirSync(directory)
    .filter(
      (name) =>
        name.endsWith(`.${blobKind(digest)}`) &&
        startTimeOf(Number.parseInt(name, 10)) === undefined,
    )
    .map((name) => ({
      path: join(directory, name),
      size: fs.statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
    }))
    .filter(({ size }) => size > 0 && size <= sizeBytes)
    .sort((a, b) => b.size - a.size)[0];
  if (found === undefined) return undefined;
  try {
    fs.renameSync(found.path, mine);
  } catch (error) {
    // Another pull was quicker.
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  return { path: mine, sizeBytes: found.size };
}

/** Keeps what this process has of a blob for the next pull: under pid 0, which never lives. */
export function keepPartialBlob(storage: Storage, digest: Digest): void {
  const kept = ingestPath(storage, blobKind(digest));
  const directory = dirname(kept);
  const own = fs
    .readdirSync(directory)
    .find((name) => name.startsWith(`${process.pid}-`) && name.endsWith(`.${blobKind(digest)}`));
  if (own === undefined) return;
  fs.linkSync(join(directory, own), join(directory, own.replace(/^\d+-/, '0-')));
}
