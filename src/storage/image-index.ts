import { join } from 'node:path';
import { writeAtomically } from '../base/file.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import { imageLayout } from './blobs.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

interface IndexRow {
  name: string | null;
  digest: string;
  type: string;
  size: number;
}

/**
 * Writes the layout's index.json anew from the records, for `skopeo inspect oci:DIR:NAME` and other
 * readers; tsman itself never reads it. Inside a transaction, so that of two writers the second has
 * seen the records of the first.
 */
export function writeIndex(storage: Storage): void {
  const layout = imageLayout(storage);
  inTransaction(storage.database, () => {
    const rows = storage.database
      .prepare(
        `SELECT name, digest, type, image_manifests.size_bytes AS size FROM image_manifests
         JOIN images ON images.id = image_manifests.image_id LEFT JOIN image_names ON image_names.manifest_digest = digest
         ORDER BY loaded_at, images.id, name`,
      )
      .all() as unknown as IndexRow[];
    const index = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociIndex,
      manifests: rows.map(descriptor),
    };
    writeAtomically(join(layout, 'index.json'), `${JSON.stringify(index)}\n`, 0o644);
  });
}

/** `ref.name` is what skopeo looks for, `image.name` what containerd imports. */
function descriptor(row: IndexRow): object {
  return {
    mediaType: row.type,
    digest: row.digest,
    size: row.size,
    ...(row.name === null
      ? {}
      : {
          annotations: {
            'io.containerd.image.name': row.name,
            'org.opencontainers.image.ref.name': row.name,
          },
        }),
  };
}
