import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex, isDigest } from '../oci/digest.ts';
import { blobPath, blobSize, imageLayout, sweepIngest } from './blobs.ts';
import { inTransaction } from './database.ts';
import { forgetLayerSizes } from './layer-sizes.ts';
import { isGarbageLeft, withCollect } from './leases.ts';
import { discard, discardPaths, type LayerTarget, sweepLeftovers } from './partials.ts';
import { abandonedShifts, listShiftedLayers } from './shifted-layers.ts';
import type { Storage } from './storage.ts';

/** What a collection took away; `isDeferred` when an ingest under way will do it at its end. */
export interface Collected {
  blobs: number;
  layers: number;
  freedBytes: number;
  isDeferred: boolean;
}

/**
 * Removes the blobs and layers that no image record reaches, and what killed processes left. Safe
 * beside pulls and loads, see leases.ts.
 */
export async function collectGarbage(target: LayerTarget): Promise<Collected> {
  const collected: Collected = { blobs: 0, layers: 0, freedBytes: 0, isDeferred: false };
  const { storage } = target;
  collected.isDeferred = !(await withCollect(storage, async () => {
    sweepIngest(storage);
    sweepAside(storage);
    removeBlobs(storage, collected);
    const layers = unreachedLayers(storage);
    await discard(target, layers.map(digestHex));
    collected.layers = layers.length;
    forgetLayerSizes(storage);
    await discardPaths(target, deadShifts(storage));
    await sweepLeftovers(target);
  }));
  return collected;
}

/** To be called when an ingest ends: does what a collector had to leave because of it. */
export async function collectIfLeft(target: LayerTarget): Promise<void> {
  if (isGarbageLeft(target.storage)) await collectGarbage(target);
}

/**
 * Removes what a writer killed in writeAtomically left. Blobs are written under a lease that keeps us
 * away, index.json in a transaction such as this one.
 */
function sweepAside(storage: Storage): void {
  inTransaction(storage.database, () => {
    for (const directory of [imageLayout(storage), join(imageLayout(storage), 'blobs/sha256')])
      for (const name of readdirSync(directory))
        if (/^\.[0-9a-f]{12}\.tmp$/.test(name)) rmSync(join(directory, name), { force: true });
  });
}

function removeBlobs(storage: Storage, collected: Collected): void {
  for (const digest of unreachedBlobs(storage)) {
    collected.blobs++;
    collected.freedBytes += blobSize(storage, digest) ?? 0;
    rmSync(blobPath(storage, digest), { force: true });
  }
}

/** What no image reaches: unpacked layers by diffID, blobs by digest; a command under way may be about to name it. */
export function unreferenced(storage: Storage): { layers: Digest[]; blobs: Digest[] } {
  return { layers: unreachedLayers(storage), blobs: unreachedBlobs(storage) };
}

function unreachedBlobs(storage: Storage): Digest[] {
  const reached = new Set(
    column(
      storage,
      `SELECT digest AS value FROM image_manifests UNION SELECT 'sha256:' || id FROM images UNION SELECT digest FROM image_layers
       UNION SELECT digest FROM manifest_lists`,
    ),
  );
  return namedDigests(join(imageLayout(storage), 'blobs/sha256')).filter(
    (digest) => !reached.has(digest),
  );
}

function unreachedLayers(storage: Storage): Digest[] {
  const reached = new Set(column(storage, 'SELECT DISTINCT diff_id AS value FROM image_layers'));
  return namedDigests(join(storage.directories.dataRoot, 'layers')).filter(
    (diffID) => !reached.has(diffID),
  );
}

/** Shifted copies of layers that are gone, and half-made ones of processes that are. */
function deadShifts(storage: Storage): string[] {
  const { directories } = storage;
  const copies = listShiftedLayers(directories).filter(
    ({ hex }) => !existsSync(join(directories.dataRoot, 'layers', hex)),
  );
  return [...copies.map(({ path }) => path), ...abandonedShifts(directories)];
}

function column(storage: Storage, query: string): string[] {
  return storage.database
    .prepare(query)
    .all()
    .map((row) => String(row['value']));
}

/** The digests that name the directory's entries; others are somebody's half-made things. */
function namedDigests(directory: string): Digest[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .map((name) => `sha256:${name}`)
    .filter(isDigest);
}
