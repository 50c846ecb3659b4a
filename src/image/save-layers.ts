import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { type Descriptor, type Manifest, MEDIA_TYPE } from '../oci/image.ts';
import { blobPath, hasBlob, readSmallBlob, sha256 } from '../storage/blobs.ts';
import { decompressed } from '../storage/decompress.ts';
import { type ImageRecord, readImageManifest } from '../storage/images.ts';
import { layerSize } from '../storage/layer-sizes.ts';
import type { Storage } from '../storage/storage.ts';
import { convertDescriptor, type ManifestFormat } from './convert.ts';
import { recompressLayers } from './recompress.ts';

/** How layers are written: as they are stored, or all in one way. */
export type LayerForm = 'stored' | 'compressed' | 'uncompressed';

/** A blob on its way out of the store. */
export interface SavedBlob {
  readonly descriptor: Descriptor;
  open(): AsyncIterable<Uint8Array>;
}

/** An image as it is to be written: a manifest that says what the layers are. */
export interface SavedContent {
  readonly manifest: SavedBlob & { readonly bytes: Uint8Array };
  readonly config: SavedBlob;
  readonly layers: readonly SavedBlob[];
}

const CHUNK_BYTES = 1 << 18;

/** The image with its layers in the wanted form. Those newly compressed are blobs that no image has. */
export async function savedContent(
  storage: Storage,
  image: ImageRecord,
  form: LayerForm,
): Promise<SavedContent> {
  const manifest = readImageManifest(storage, image);
  const layers = await savedLayers(storage, image, manifest, form);
  const config = storedBlob(storage, manifest.config);
  const isSame = layers.every(({ descriptor }, i) => descriptor === manifest.layers[i]);
  const bytes = isSame
    ? readSmallBlob(storage, image.manifestDigest)
    : Buffer.from(
        JSON.stringify({ ...manifest, layers: layers.map(({ descriptor }) => descriptor) }),
      );
  const descriptor = {
    mediaType: image.manifestType,
    digest: sha256(bytes),
    size: bytes.length,
  };
  return { manifest: { descriptor, bytes, open: () => once(bytes) }, config, layers };
}

async function savedLayers(
  storage: Storage,
  image: ImageRecord,
  manifest: Manifest,
  form: LayerForm,
): Promise<SavedBlob[]> {
  const format = image.manifestType === MEDIA_TYPE.dockerManifest ? 'docker' : 'oci';
  if (form === 'uncompressed')
    return Promise.all(
      manifest.layers.map((layer, i) => plainLayer(storage, image, layer, i, format)),
    );
  if (form === 'stored') return manifest.layers.map((layer) => storedBlob(storage, layer));
  const saved: SavedBlob[] = [];
  for (const layer of manifest.layers) saved.push(await compressedLayer(storage, layer, format));
  return saved;
}

async function plainLayer(
  storage: Storage,
  image: ImageRecord,
  layer: Descriptor,
  index: number,
  format: ManifestFormat,
): Promise<SavedBlob> {
  const digest = image.layers[index]?.diffID ?? layer.digest;
  if (digest === layer.digest) return storedBlob(storage, layer);
  const open = (): AsyncIterable<Uint8Array> => decompressed(readBlob(storage, layer));
  const size = layerSize(storage, digest) ?? (await count(open()));
  const { annotations: _, ...rest } = layer;
  const plain = { ...rest, mediaType: MEDIA_TYPE.ociLayer, digest, size };
  return { descriptor: convertDescriptor(plain, format), open };
}

/** containers/image, directory transport: what is compressed in whatever way stays as it is. */
async function compressedLayer(
  storage: Storage,
  layer: Descriptor,
  format: ManifestFormat,
): Promise<SavedBlob> {
  const isPlain = [MEDIA_TYPE.ociLayer, MEDIA_TYPE.dockerLayer].some(
    (type) => type === layer.mediaType,
  );
  if (!isPlain) return storedBlob(storage, layer);
  const only = { schemaVersion: 2, config: layer, layers: [layer] } as const;
  const { layers } = await recompressLayers(storage, only, { format: 'gzip' });
  const [packed = layer] = layers;
  return storedBlob(storage, convertDescriptor(packed, format));
}

/** @throws TsmanError when it is missing: before anything is written */
function storedBlob(storage: Storage, descriptor: Descriptor): SavedBlob {
  if (!hasBlob(storage, descriptor.digest))
    throw new TsmanError(`blob ${descriptor.digest} is missing`, {
      hint: 'pull or load the image again',
    });
  return { descriptor, open: () => readBlob(storage, descriptor) };
}

function readBlob(storage: Storage, { digest }: Descriptor): AsyncIterable<Uint8Array> {
  return fs.createReadStream(blobPath(storage, digest), { highWaterMark: CHUNK_BYTES });
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}

async function count(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const chunk of chunks) bytes += chunk.length;
  return bytes;
}
