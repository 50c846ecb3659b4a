import type { Digest } from '../oci/digest.ts';
import type { Storage } from './storage.ts';

/**
 * Notes how many bytes the layer's archive has, before the unpacked layer gets its name: whoever sees
 * the layer finds its size.
 */
export function recordLayerSize({ database }: Storage, diffID: Digest, sizeBytes: number): void {
  database
    .prepare('INSERT INTO layers (diff_id, size_bytes) VALUES (?, ?) ON CONFLICT DO NOTHING')
    .run(diffID, sizeBytes);
}

/** The size of the layer's uncompressed archive; undefined when nobody unpacked it here. */
export function layerSize({ database }: Storage, diffID: Digest | undefined): number | undefined {
  const row = database.prepare('SELECT size_bytes FROM layers WHERE diff_id = ?').get(diffID ?? '');
  return row === undefined ? undefined : Number(row['size_bytes']);
}

/** Forgets the layers that no image has; for the collector. */
export function forgetLayerSizes({ database }: Storage): void {
  database.exec('DELETE FROM layers WHERE diff_id NOT IN (SELECT diff_id FROM image_layers)');
}
