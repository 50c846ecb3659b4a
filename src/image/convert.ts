import { TsmanError } from '../base/error.ts';
import { type Descriptor, type Manifest, MEDIA_TYPE } from '../oci/image.ts';
import { readSmallBlob } from '../storage/blobs.ts';
import type { ImageRecord } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';

export type ManifestFormat = 'oci' | 'docker';

const TO_DOCKER: Readonly<Record<string, string>> = {
  [MEDIA_TYPE.ociConfig]: MEDIA_TYPE.dockerConfig,
  [MEDIA_TYPE.ociLayer]: MEDIA_TYPE.dockerLayer,
  [MEDIA_TYPE.ociLayerGzip]: MEDIA_TYPE.dockerLayerGzip,
};
const TO_OCI = Object.fromEntries(Object.entries(TO_DOCKER).map(([oci, docker]) => [docker, oci]));

/**
 * The manifest to send. Untouched it goes out byte for byte, so that its digest stays the same;
 * otherwise it is written anew with the media types of the wanted format.
 */
export function convertManifest(
  storage: Storage,
  image: ImageRecord,
  manifest: Manifest,
  wanted: ManifestFormat | undefined,
): { bytes: Uint8Array; mediaType: string } {
  const original = readSmallBlob(storage, image.manifestDigest);
  const has = image.manifestType === MEDIA_TYPE.dockerManifest ? 'docker' : 'oci';
  const isSame = manifest.layers.every(({ digest }, i) => digest === image.layers[i]?.digest);
  // Docker's format has no zstd.
  const hasZstd = manifest.layers.some(({ mediaType }) => mediaType === MEDIA_TYPE.ociLayerZstd);
  const format = wanted ?? (hasZstd ? 'oci' : has);
  if (isSame && format === has) return { bytes: original, mediaType: image.manifestType };
  const mediaType = format === 'docker' ? MEDIA_TYPE.dockerManifest : MEDIA_TYPE.ociManifest;
  const { annotations } = manifest;
  const document = {
    schemaVersion: 2,
    mediaType,
    config: convertDescriptor(manifest.config, format),
    layers: manifest.layers.map((layer) => convertDescriptor(layer, format)),
    ...(format === 'oci' && annotations !== undefined && { annotations }),
  };
  return { bytes: Buffer.from(JSON.stringify(document)), mediaType };
}

/** The same blob, named with the media types of a format. @throws TsmanError for zstd in Docker's */
export function convertDescriptor(descriptor: Descriptor, format: ManifestFormat): Descriptor {
  if (format === 'docker' && descriptor.mediaType === MEDIA_TYPE.ociLayerZstd) {
    throw new TsmanError("Docker's manifest format cannot hold zstd layers", {
      hint: 'add --compression-format gzip, or use --format oci',
    });
  }
  const types = format === 'docker' ? TO_DOCKER : TO_OCI;
  return { ...descriptor, mediaType: types[descriptor.mediaType] ?? descriptor.mediaType };
}
