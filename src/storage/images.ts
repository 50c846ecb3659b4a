import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig, Manifest } from '../oci/image.ts';
import { parseManifest } from '../oci/manifest.ts';
import { readSmallBlob } from './blobs.ts';
import { inTransaction } from './database.ts';
import { writeIndex } from './image-index.ts';
import type { Storage } from './storage.ts';

export { findImage } from './image-lookup.ts';
export { type NewImage, putImage } from './image-put.ts';

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
  readonly manifestDigest: Digest;
  readonly manifestType: string;
  /** Manifest, config and the layers' archives, uncompressed: what Podman shows. */
  readonly sizeBytes: number;
  /** RFC 3339, from the config. */
  readonly createdAt: string;
  /** Bottom first. */
  readonly layers: readonly ImageLayer[];
}

/** Inside a transaction: makes the name mean this image, whatever it meant before. */
export function setName(storage: Storage, id: string, name: string): void {
  storage.database
    .prepare(
      'INSERT INTO image_names (name, image_id) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET image_id = excluded.image_id',
    )
    .run(name, id);
}

/** Gives an image one more name, taking it from another image when that has it. */
export function tagImage(storage: Storage, image: Pick<ImageRecord, 'id'>, name: string): void {
  inTransaction(storage.database, () => {
    requireRecord(storage, image.id);
    setName(storage, image.id, name);
  });
  writeIndex(storage);
}

/** Takes names away from the image; it stays, dangling when none is left. */
export function untagImage(
  storage: Storage,
  image: Pick<ImageRecord, 'id'>,
  names: readonly string[],
): void {
  const remove = storage.database.prepare(
    'DELETE FROM image_names WHERE name = ? AND image_id = ?',
  );
  inTransaction(storage.database, () => {
    for (const name of names) remove.run(name, image.id);
  });
  writeIndex(storage);
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

function requireRecord(storage: Storage, id: string): void {
  if (storage.database.prepare('SELECT 1 FROM images WHERE id = ?').get(id) === undefined) {
    throw new TsmanError(`image ${id.slice(0, 12)} was removed meanwhile`, {
      hint: 'run the command again',
    });
  }
}

interface ImageRow {
  id: string;
  manifest_digest: Digest;
  manifest_type: string;
  size_bytes: number;
  created_at: string;
}

/** The record with this full ID. @throws TsmanError when it is gone */
export function getImage(storage: Storage, id: string): ImageRecord {
  const row = storage.database.prepare('SELECT * FROM images WHERE id = ?').get(id);
  if (row === undefined) throw new TsmanError(`no image ${id.slice(0, 12)}`);
  return fromRow(storage, row as unknown as ImageRow);
}

/** Every image, newest first. */
export function listImages(storage: Storage): ImageRecord[] {
  const rows = storage.database.prepare('SELECT * FROM images').all() as unknown as ImageRow[];
  const images = rows.map((row) => fromRow(storage, row));
  return images.sort((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
}

function fromRow({ database }: Storage, row: ImageRow): ImageRecord {
  const names = database
    .prepare('SELECT name FROM image_names WHERE image_id = ? ORDER BY rowid')
    .all(row.id);
  const layers = database
    .prepare(
      `SELECT diff_id, digest, size_bytes FROM image_layers LEFT JOIN layers USING (diff_id)
       WHERE image_id = ? ORDER BY position`,
    )
    .all(row.id);
  return {
    id: row.id,
    names: names.map(({ name }) => String(name)),
    manifestDigest: row.manifest_digest,
    manifestType: row.manifest_type,
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

/** The image's manifest, from its blob. */
export function readImageManifest(
  storage: Storage,
  image: Pick<ImageRecord, 'manifestDigest'>,
): Manifest {
  return parseManifest(readSmallBlob(storage, image.manifestDigest));
}
