import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { parseImageConfig } from '../oci/config.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import type { ImageConfig, Manifest } from '../oci/image.ts';
import { parseManifest } from '../oci/manifest.ts';
import { hasBlob, sha256, writeSmallBlob } from './blobs.ts';
import { inTransaction } from './database.ts';
import { writeIndex } from './image-index.ts';
import { setName } from './image-names.ts';
import { getImage, type ImageRecord } from './images.ts';
import { layerSize } from './layer-sizes.ts';
import type { Storage } from './storage.ts';

export interface NewImage {
  readonly manifestBytes: Uint8Array;
  readonly manifestType: string;
  readonly configBytes: Uint8Array;
  /** Full references (formatReference) the image shall have; each is taken from whoever has it. */
  readonly names: readonly string[];
}

/**
 * Makes an image whose layers are stored visible. The record is the last thing written: a process
 * killed before leaves only content that nothing names.
 */
export function putImage(storage: Storage, image: NewImage): ImageRecord {
  const manifest = parseManifest(image.manifestBytes, image.manifestType);
  const config = parseImageConfig(image.configBytes);
  const configDigest = sha256(image.configBytes);
  if (manifest.config.digest !== configDigest) {
    throw new TsmanError(
      `image config has digest ${configDigest}, its manifest says ${manifest.config.digest}`,
    );
  }
  const diffIDs = config.rootfs.diff_ids;
  if (diffIDs.length !== manifest.layers.length) {
    throw new TsmanError(
      `image config names ${diffIDs.length} layers, its manifest ${manifest.layers.length}`,
    );
  }
  writeSmallBlob(storage, image.configBytes);
  const manifestDigest = writeSmallBlob(storage, image.manifestBytes);
  inTransaction(storage.database, () => {
    checkContent(storage, manifest, config);
    insertImage(storage, image, { manifest, config, manifestDigest });
    for (const name of image.names)
      setName(storage, { id: digestHex(configDigest), manifestDigest }, name);
  });
  writeIndex(storage);
  return getImage(storage, digestHex(configDigest), manifestDigest);
}

/** A removal that raced with us must not leave an image with a hole in it. */
function checkContent(storage: Storage, manifest: Manifest, config: ImageConfig): void {
  for (const [i, layer] of manifest.layers.entries()) {
    const diffID = config.rootfs.diff_ids[i] as Digest;
    const isThere =
      hasBlob(storage, layer.digest) &&
      existsSync(join(storage.directories.dataRoot, 'layers', digestHex(diffID)));
    if (!isThere)
      throw new TsmanError(`layer ${diffID} is not in the store`, {
        hint: 'run the command again',
      });
  }
}

function insertImage(
  storage: Storage,
  image: NewImage,
  {
    manifest,
    config,
    manifestDigest,
  }: { manifest: Manifest; config: ImageConfig; manifestDigest: Digest },
): void {
  const id = digestHex(manifest.config.digest);
  const manifestBytes = image.manifestBytes.length;
  const sizeBytes = manifest.layers.reduce(
    (sum, layer, i) => sum + (layerSize(storage, config.rootfs.diff_ids[i]) ?? layer.size),
    manifestBytes + image.configBytes.length,
  );
  storage.database
    .prepare(
      `INSERT INTO images (id, manifest_digest, size_bytes, created_at, loaded_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET manifest_digest = excluded.manifest_digest, size_bytes = excluded.size_bytes`,
    )
    .run(id, manifestDigest, sizeBytes, createdAt(config), new Date().toISOString());
  storage.database
    .prepare(
      `INSERT INTO image_manifests (digest, image_id, type, size_bytes) VALUES (?, ?, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET type = excluded.type`,
    )
    .run(manifestDigest, id, image.manifestType, manifestBytes);
  const insert = storage.database.prepare(
    'INSERT OR REPLACE INTO image_layers (manifest_digest, position, diff_id, digest) VALUES (?, ?, ?, ?)',
  );
  for (const [i, layer] of manifest.layers.entries())
    insert.run(manifestDigest, i, config.rootfs.diff_ids[i] ?? '', layer.digest);
}

/** Reproducible builders leave the time out; Docker and Podman then show year 1. */
function createdAt(config: ImageConfig): string {
  const time = Date.parse(config.created ?? '');
  return Number.isNaN(time) ? '0001-01-01T00:00:00Z' : (config.created as string);
}
