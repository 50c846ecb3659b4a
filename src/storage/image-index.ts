import { join } from 'node:path';
import { writeAtomically } from '../base/file.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import { imageLayout } from './blobs.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

interface IndexRow {
  name: string | null;
  manifest_digest: string;
  manifest_type: string;
  manifest_bytes: number;
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
        `SELECT name, manifest_digest, manifest_type, manifest_bytes FROM images
         LEFT JOIN image_names ON image_id = id ORDER BY loaded_at, id, name`,
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
    mediaType: row.manifest_type,
    digest: row.manifest_digest,
    size: row.manifest_bytes,
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
