import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig, Manifest } from '../oci/image.ts';
import { parseManifest } from '../oci/manifest.ts';
import { loadSmallBlob, readSmallBlob } from './blobs.ts';
import { inTransaction } from './database.ts';
import { writeIndex } from './image-index.ts';
import type { Storage } from './storage.ts';

export { findImage } from './image-lookup.ts';
export { tagImage, untagImage } from './image-names.ts';

export interface ImageLayer {
  readonly diffID: Digest;
  readonly digest: Digest;
  /** Of the uncompressed archive. */
  readonly sizeBytes: number;
}

/** What the store knows of an image without reading a blob. */
export interface ImageRecord {
  /** 64 hexadecimal digits: the digest of the config, as Docker and Podman have it. */
  readonly id: string;
  /** Full references, oldest first; none when it is dangling. A pull by digest leaves `name@sha256:...`. */
  readonly names: readonly string[];
  /** The manifest each name was pulled with: the same content may be compressed in several ways. */
  readonly manifestOf: ReadonlyMap<string, Digest>;
  /** That of the name the image was found by; by its ID, the last one stored. */
  readonly manifestDigest: Digest;
  readonly manifestType: string;
  /** Manifest, config and the layers' archives, uncompressed: what Podman shows. */
  readonly sizeBytes: number;
  /** RFC 3339, from the config. */
  readonly createdAt: string;
  /** Bottom first, as this manifest has them. */
  readonly layers: readonly ImageLayer[];
}

/**
 * Removes the record and its names; the content goes with collectGarbage. Looks for containers in
 * the same transaction, so that `run` and `rmi` cannot pass each other (see insertContainer).
 * @throws TsmanError when a container uses the image
 */
export function removeImage(storage: Storage, image: Pick<ImageRecord, 'id'>): void {
  inTransaction(storage.database, () => {
    const users = containersUsing(storage, image.id);
    if (users.length > 0) throw imageInUse(image.id, users);
    storage.database.prepare('DELETE FROM images WHERE id = ?').run(image.id);
  });
  writeIndex(storage);
}

/** The error for an image that containers need. */
export function imageInUse(id: string, users: readonly string[]): TsmanError {
  const shown = users.map((user) => user.slice(0, 12)).join(', ');
  return new TsmanError(`image ${id.slice(0, 12)} is used by container ${shown}`, {
    exitCode: 2,
    hint: 'remove the container first, or use -f to remove both',
  });
}

/**
 * The IDs of the containers made from this image. The row of a `--rm` container whose directory its
 * monitor has removed does not count; the directory is there before the row.
 */
export function containersUsing({ database, directories }: Storage, id: string): string[] {
  // A mount of the image has its ID as name in the record (VolumeMount).
  const rows = database
    .prepare('SELECT id, auto_remove FROM containers WHERE image_id = ? OR instr(spec, ?) > 0')
    .all(id, `"name":"${id}"`);
  const isThere = (container: string): boolean =>
    existsSync(join(directories.dataRoot, 'containers', container));
  return rows
    .filter((row) => row['auto_remove'] === 0 || isThere(String(row['id'])))
    .map((row) => String(row['id']));
}

interface ImageRow {
  id: string;
  digest: Digest;
  type: string;
  size_bytes: number;
  created_at: string;
}

const ROWS = `SELECT images.id, digest, type, images.size_bytes, created_at
  FROM images JOIN image_manifests ON image_id = images.id`;

/** The record with this full ID, as one of its manifests has it. @throws TsmanError when it is gone */
export function getImage(storage: Storage, id: string, manifest?: Digest): ImageRecord {
  const row = storage.database
    .prepare(`${ROWS} WHERE images.id = ? AND digest = coalesce(?, images.manifest_digest)`)
    .get(id, manifest ?? null);
  if (row === undefined)
    throw new TsmanError(`image ${id.slice(0, 12)} was removed meanwhile`, {
      hint: 'run the command again',
    });
  return fromRow(storage, row as unknown as ImageRow);
}

/** Every image, newest first. */
export function listImages(storage: Storage): ImageRecord[] {
  return sortedRows(storage, `${ROWS} WHERE digest = images.manifest_digest`);
}

/** As listImages, and an image with several manifests once for each. */
export function listManifests(storage: Storage): ImageRecord[] {
  return sortedRows(storage, ROWS);
}

function sortedRows(storage: Storage, query: string): ImageRecord[] {
  const rows = storage.database.prepare(query).all() as unknown as ImageRow[];
  const images = rows.map((row) => fromRow(storage, row));
  return images.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

function fromRow({ database }: Storage, row: ImageRow): ImageRecord {
  const names = database
    .prepare('SELECT name, manifest_digest FROM image_names WHERE image_id = ? ORDER BY rowid')
    .all(row.id);
  const layers = database
    .prepare(
      `SELECT diff_id, digest, size_bytes FROM image_layers LEFT JOIN layers USING (diff_id)
       WHERE manifest_digest = ? ORDER BY position`,
    )
    .all(row.digest);
  return {
    id: row.id,
    names: names.map(({ name }) => String(name)),
    manifestOf: new Map(
      names.map(({ name, manifest_digest }) => [String(name), manifest_digest as Digest]),
    ),
    manifestDigest: row.digest,
    manifestType: row.type,
    sizeBytes: row.size_bytes,
    createdAt: row.created_at,
    layers: layers.map((layer) => ({
      diffID: layer['diff_id'] as Digest,
      digest: layer['digest'] as Digest,
      sizeBytes: Number(layer['size_bytes'] ?? 0),
    })),
  };
}

/** The image's configuration, from its blob. */
export function readImageConfig(storage: Storage, image: Pick<ImageRecord, 'id'>): ImageConfig {
  return parseImageConfig(readSmallBlob(storage, `sha256:${image.id}`));
}

/** The same, for who starts a container (blobs.ts). */
export async function loadImageConfig(
  storage: Storage,
  image: Pick<ImageRecord, 'id'>,
): Promise<ImageConfig> {
  return parseImageConfig(await loadSmallBlob(storage, `sha256:${image.id}`));
}

/** The image's manifest, from its blob. */
export function readImageManifest(
  storage: Storage,
  image: Pick<ImageRecord, 'manifestDigest'>,
): Manifest {
  return parseManifest(readSmallBlob(storage, image.manifestDigest));
}
