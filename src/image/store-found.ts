import { TsmanError } from '../base/error.ts';
import { MAX_CONFIG_BYTES, parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type Manifest, MEDIA_TYPE } from '../oci/image.ts';
import { blobSize, hasBlob, sha256 } from '../storage/blobs.ts';
import { findImage, imageWithLayer } from '../storage/image-lookup.ts';
import { putImage } from '../storage/image-put.ts';
import { getImage, type ImageRecord, readImageManifest, tagImage } from '../storage/images.ts';
import { hasLayer, ingestLayer, type LayerTarget, unpackStoredLayer } from '../storage/layers.ts';
import type { Storage } from '../storage/storage.ts';
import { convertDescriptor } from './convert.ts';
import type { ImageFiles } from './image-files.ts';

/** An image found in files: its manifest and where its blobs are. */
export interface FoundImage {
  readonly manifestBytes: Buffer;
  readonly manifest: Manifest;
  /** The manifest is ours, the archive has none: layers may be described as the store has them. */
  readonly isManifestMade?: true;
  /** Full references. */
  readonly names: readonly string[];
  fileOf(digest: Digest): string;
}

/** Copies what the store does not have yet, then makes the image visible. */
export async function storeFoundImage(
  target: LayerTarget,
  files: ImageFiles,
  image: FoundImage,
): Promise<ImageRecord> {
  const { manifest } = image;
  const configBytes = files.read(image.fileOf(manifest.config.digest), MAX_CONFIG_BYTES);
  if (sha256(configBytes) !== manifest.config.digest) {
    throw new TsmanError(
      `image config has digest ${sha256(configBytes)}, its manifest says ${manifest.config.digest}`,
    );
  }
  const diffIDs = parseImageConfig(configBytes).rootfs.diff_ids;
  if (diffIDs.length !== manifest.layers.length) {
    throw new TsmanError(
      `image config names ${diffIDs.length} layers, its manifest ${manifest.layers.length}`,
    );
  }
  const known = findImage(target.storage, manifest.config.digest);
  if (known !== undefined && isWhole(target, known)) return addNames(target, known, image.names);
  const layers: Descriptor[] = [];
  for (const [i, descriptor] of manifest.layers.entries()) {
    const diffID = diffIDs[i] ?? descriptor.digest;
    const stored = image.isManifestMade && storedDescriptor(target.storage, diffID);
    layers.push(stored || descriptor);
    const open = (): AsyncIterable<Uint8Array> => files.open(image.fileOf(descriptor.digest));
    if (!stored) await storeLayer(target, open, { descriptor, diffID });
  }
  return putImage(target.storage, {
    manifestBytes: image.isManifestMade
      ? Buffer.from(JSON.stringify({ ...manifest, layers }))
      : image.manifestBytes,
    manifestType: manifest.mediaType ?? MEDIA_TYPE.ociManifest,
    configBytes,
    names: image.names,
  });
}

/** A layer that some image has, as its manifest describes it; undefined when it is not whole here. */
function storedDescriptor(storage: Storage, diffID: Digest): Descriptor | undefined {
  const found = imageWithLayer(storage, diffID);
  if (found === undefined || !hasLayer(storage, diffID)) return undefined;
  const { layers } = readImageManifest(storage, found);
  const stored = layers[found.layers.findIndex((layer) => layer.diffID === diffID)];
  return stored !== undefined && blobSize(storage, stored.digest) === stored.size
    ? convertDescriptor(stored, 'oci')
    : undefined;
}

/**
 * The same image, perhaps with its layers compressed in another way: what is here stays, so that it
 * can still be pushed and saved as it was pulled.
 */
function addNames(
  { storage }: LayerTarget,
  image: ImageRecord,
  names: readonly string[],
): ImageRecord {
  for (const name of names) tagImage(storage, image, name);
  return getImage(storage, image.id);
}

function isWhole({ storage }: LayerTarget, { layers }: ImageRecord): boolean {
  return layers.every((layer) => hasBlob(storage, layer.digest) && hasLayer(storage, layer.diffID));
}

/** Does the least that is left to do: nothing, unpack, or copy and unpack. */
async function storeLayer(
  target: LayerTarget,
  open: () => AsyncIterable<Uint8Array>,
  layer: { readonly descriptor: Descriptor; readonly diffID: Digest },
): Promise<void> {
  const isBlobThere = hasBlob(target.storage, layer.descriptor.digest);
  if (isBlobThere && hasLayer(target.storage, layer.diffID)) return;
  if (isBlobThere) await unpackStoredLayer(target, layer);
  else await ingestLayer(target, open(), layer);
}
