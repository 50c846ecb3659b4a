import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { TsmanError } from '../base/error.ts';
import { type Descriptor, type Manifest, MEDIA_TYPE } from '../oci/image.ts';
import { BlobWriter, blobPath } from '../storage/blobs.ts';
import { decompressed } from '../storage/decompress.ts';
import type { Storage } from '../storage/storage.ts';

export type LayerCompression = 'gzip' | 'zstd';

export interface WantedCompression {
  readonly format: LayerCompression;
  readonly level?: number | undefined;
  /** Also layers that have the format already. */
  readonly isForced?: boolean | undefined;
}

/** The levels there are; beyond 19 zstd needs memory that a reader may not grant (--ultra). */
export const COMPRESSION_LEVELS = { gzip: [1, 9], zstd: [1, 19] } as const;
const DEFAULT_LEVELS = { gzip: 6, zstd: 3 } as const;

const TYPES: Readonly<Record<string, LayerCompression | 'none'>> = {
  [MEDIA_TYPE.ociLayer]: 'none',
  [MEDIA_TYPE.dockerLayer]: 'none',
  [MEDIA_TYPE.ociLayerGzip]: 'gzip',
  [MEDIA_TYPE.dockerLayerGzip]: 'gzip',
  [MEDIA_TYPE.ociLayerZstd]: 'zstd',
};

/**
 * A manifest whose layers all have the wanted compression. New blobs are put into the store, named
 * by their digest; nothing refers to them there, so the collection at the push's end takes them away.
 */
export async function recompressLayers(
  storage: Storage,
  manifest: Manifest,
  wanted: WantedCompression,
): Promise<Manifest> {
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) layers.push(await recompress(storage, layer, wanted));
  return { ...manifest, layers };
}

async function recompress(
  storage: Storage,
  layer: Descriptor,
  wanted: WantedCompression,
): Promise<Descriptor> {
  if (TYPES[layer.mediaType] === wanted.format && !wanted.isForced) return layer;
  const stored = createReadStream(blobPath(storage, layer.digest), { highWaterMark: 1 << 18 });
  const writer = new BlobWriter(storage);
  try {
    await pipeline(
      decompressed(stored),
      compressor(wanted),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) writer.write(chunk);
      },
    );
    const digest = await writer.finish();
    const mediaType = wanted.format === 'zstd' ? MEDIA_TYPE.ociLayerZstd : MEDIA_TYPE.ociLayerGzip;
    return { ...layer, mediaType, digest, size: writer.sizeBytes };
  } catch (cause) {
    throw new TsmanError(`compress layer ${layer.digest}`, { cause });
  } finally {
    writer.abort();
  }
}

function compressor({ format, level = DEFAULT_LEVELS[format] }: WantedCompression) {
  if (format === 'gzip') return createGzip({ level, chunkSize: 1 << 18 });
  return createZstdCompress({
    chunkSize: 1 << 18,
    params: { [constants.ZSTD_c_compressionLevel]: level },
  });
}
