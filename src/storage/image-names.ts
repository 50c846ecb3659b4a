import { TsmanError } from '../base/error.ts';
import type { Digest } from '../oci/digest.ts';
import { inTransaction } from './database.ts';
import { writeIndex } from './image-index.ts';
import type { ImageRecord } from './images.ts';
import type { Storage } from './storage.ts';

/** An image as one of its manifests has it. */
type NamedContent = Pick<ImageRecord, 'id' | 'manifestDigest'>;

/** Gives an image one more name, taking it from another image when that has it. */
export function tagImage(storage: Storage, image: NamedContent, name: string): void {
  inTransaction(storage.database, () => {
    requireManifest(storage, image);
    setName(storage, image, name);
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
    forgetUnnamed(storage, image.id);
  });
  writeIndex(storage);
}

/** Inside a transaction: makes the name mean this manifest, whatever it meant before. */
export function setName(storage: Storage, image: NamedContent, name: string): void {
  const before = storage.database
    .prepare('SELECT image_id FROM image_names WHERE name = ?')
    .get(name);
  storage.database
    .prepare(
      `INSERT INTO image_names (name, image_id, manifest_digest) VALUES (?, ?, ?) ON CONFLICT (name)
       DO UPDATE SET image_id = excluded.image_id, manifest_digest = excluded.manifest_digest`,
    )
    .run(name, image.id, image.manifestDigest);
  if (before !== undefined) forgetUnnamed(storage, String(before['image_id']));
}

/**
 * Inside a transaction: an image keeps the manifests that its names have; without names, the last
 * one stored. The blobs of the others go with the next collectGarbage.
 */
function forgetUnnamed({ database }: Storage, id: string): void {
  database
    .prepare(
      `UPDATE images SET manifest_digest = coalesce(
         (SELECT names.manifest_digest FROM image_names AS names WHERE names.image_id = images.id
          ORDER BY names.manifest_digest = images.manifest_digest DESC, names.rowid DESC LIMIT 1),
         manifest_digest) WHERE id = ?`,
    )
    .run(id);
  database
    .prepare(
      `DELETE FROM image_manifests WHERE image_id = ?1
       AND digest NOT IN (SELECT manifest_digest FROM images WHERE id = ?1)
       AND digest NOT IN (SELECT manifest_digest FROM image_names WHERE image_id = ?1)`,
    )
    .run(id);
}

function requireManifest(storage: Storage, { id, manifestDigest }: NamedContent): void {
  const row = storage.database
    .prepare('SELECT 1 FROM image_manifests WHERE digest = ? AND image_id = ?')
    .get(manifestDigest satisfies Digest, id);
  if (row === undefined)
    throw new TsmanError(`image ${id.slice(0, 12)} was removed meanwhile`, {
      hint: 'run the command again',
    });
}
