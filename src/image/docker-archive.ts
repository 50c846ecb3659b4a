import { TsmanError } from '../base/error.ts';
import { MAX_CONFIG_BYTES, parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, type Manifest, MEDIA_TYPE } from '../oci/image.ts';
import { asArray, asObject, asString, asStrings, optional, parseJsonObject } from '../oci/json.ts';
import { formatReference, parseReference, withDefaultTag } from '../oci/reference.ts';
import { sha256 } from '../storage/blobs.ts';
import type { ImageFiles } from './image-files.ts';
import type { FoundImage } from './store-found.ts';

const MAX_IMAGES = 1000;

/**
 * The images of a docker-archive. It has no manifests, so one is made: the layers are plain tars,
 * so their digests are the config's diffIDs, and ingesting checks just that.
 */
export function dockerArchiveImages(files: ImageFiles, manifestJson: Buffer): FoundImage[] {
  const text = Buffer.concat([Buffer.from('{"images":'), manifestJson, Buffer.from('}')]);
  const entries = asArray(
    parseJsonObject(text, 'manifest.json')['images'],
    'manifest.json',
    MAX_IMAGES,
  );
  return entries.map((entry, i) => readImage(files, entry, `manifest.json[${i}]`));
}

function readImage(files: ImageFiles, entry: unknown, where: string): FoundImage {
  const object = asObject(entry, where);
  const configFile = asString(object['Config'], `${where}.Config`);
  const layerFiles = optional(object['Layers'], `${where}.Layers`, asStrings) ?? [];
  const configBytes = files.read(configFile, MAX_CONFIG_BYTES);
  const diffIDs = parseImageConfig(configBytes).rootfs.diff_ids;
  if (diffIDs.length !== layerFiles.length) {
    throw new TsmanError(
      `image config names ${diffIDs.length} layers, ${where} ${layerFiles.length}`,
    );
  }
  const config = {
    mediaType: MEDIA_TYPE.ociConfig,
    digest: sha256(configBytes),
    size: configBytes.length,
  };
  const fileNames = new Map<Digest, string>([[config.digest, configFile]]);
  const layers = diffIDs.map((diffID, i): Descriptor => {
    const file = layerFiles[i] ?? '';
    fileNames.set(diffID, file);
    return { mediaType: MEDIA_TYPE.ociLayer, digest: diffID, size: files.size(file) };
  });
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociManifest,
    config,
    layers,
  };
  const names = (optional(object['RepoTags'], `${where}.RepoTags`, asStrings) ?? []).map((name) =>
    formatReference(withDefaultTag(parseReference(name))),
  );
  return {
    manifestBytes: Buffer.from(JSON.stringify(manifest)),
    manifest,
    isManifestMade: true,
    names,
    fileOf: (digest) => fileNames.get(digest) ?? '',
  };
}
