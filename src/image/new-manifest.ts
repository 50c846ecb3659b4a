import { type Descriptor, type ImageConfig, MEDIA_TYPE } from '../oci/image.ts';
import { sha256 } from '../storage/blobs.ts';
import type { NewImage } from '../storage/image-put.ts';
import { convertDescriptor, type ManifestFormat } from './convert.ts';

/** The bytes and the type of a manifest for a config and its layers. */
export function manifestFor(
  config: ImageConfig,
  layers: readonly Descriptor[],
  format: ManifestFormat = 'oci',
): Omit<NewImage, 'names'> {
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifestType = format === 'docker' ? MEDIA_TYPE.dockerManifest : MEDIA_TYPE.ociManifest;
  const configDescriptor = {
    mediaType: MEDIA_TYPE.ociConfig,
    digest: sha256(configBytes),
    size: configBytes.length,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: convertDescriptor(configDescriptor, format),
    layers: layers.map((layer) => convertDescriptor(layer, format)),
  };
  return { manifestBytes: Buffer.from(JSON.stringify(manifest)), manifestType, configBytes };
}
