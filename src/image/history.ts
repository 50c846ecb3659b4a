import { type ImageRecord, readImageConfig } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';

/** One step of an image's making. */
export interface HistoryRow {
  /** The image's ID for the newest step, otherwise `<missing>`: steps have no images of their own. */
  readonly id: string;
  readonly created: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly sizeBytes: number;
  readonly names: readonly string[];
}

/** The steps, newest first, each with the size of its layer's uncompressed archive. */
export function imageHistory(storage: Storage, image: ImageRecord): HistoryRow[] {
  const sizes = image.layers.map((layer) => layer.sizeBytes);
  const history = readImageConfig(storage, image).history ?? [];
  let next = 0;
  const rows = history.map(
    (entry): HistoryRow => ({
      id: '<missing>',
      created: entry.created ?? '',
      createdBy: entry.created_by ?? '',
      comment: entry.comment ?? '',
      sizeBytes: entry.empty_layer === true ? 0 : (sizes[next++] ?? 0),
      names: [],
    }),
  );
  // Layers whose making nobody wrote down.
  for (; next < sizes.length; next++) {
    rows.push({
      id: '<missing>',
      created: image.createdAt,
      createdBy: '',
      comment: '',
      sizeBytes: sizes[next] ?? 0,
      names: [],
    });
  }
  const [newest, ...older] = rows.toReversed();
  return newest === undefined ? [] : [{ ...newest, id: image.id, names: image.names }, ...older];
}
