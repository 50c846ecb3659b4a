import * as fs from 'node:fs';
import type { Writable } from 'node:stream';
import { TsmanError } from '../base/error.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import { blobPath, blobSize, readSmallBlob } from '../storage/blobs.ts';
import { decompressed } from '../storage/decompress.ts';
import { type ImageRecord, readImageManifest } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';
import { writeArchive, writeDirectory } from './save-output.ts';
import { directoryMember, type NewMember, textMember, writeTarStream } from './tar-writer.ts';

export const SAVE_FORMATS = ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir'] as const;
export type SaveFormat = (typeof SAVE_FORMATS)[number];

/** An image to save, and the names it shall have in the archive. */
export interface SavedImage {
  readonly image: ImageRecord;
  readonly names: readonly string[];
}

const CHUNK_BYTES = 1 << 20;

/**
 * Writes images to a file, a directory (the -dir formats) or a stream. The OCI formats and docker-dir
 * hold the blobs exactly as they are stored; a docker-archive has the layers uncompressed, as every
 * `load` since Docker 1.10 reads them.
 */
export async function saveImages(
  storage: Storage,
  images: readonly SavedImage[],
  format: SaveFormat,
  output: string | Writable,
): Promise<void> {
  const members = [...membersFor(storage, images, format)];
  if (typeof output !== 'string') return writeTarStream(output, members);
  if (format.endsWith('-dir')) return writeDirectory(output, members);
  return writeArchive(output, members);
}

function membersFor(
  storage: Storage,
  images: readonly SavedImage[],
  format: SaveFormat,
): Iterable<NewMember> {
  switch (format) {
    case 'docker-archive':
      return dockerArchive(storage, images);
    case 'oci-archive':
    case 'oci-dir':
      return ociLayout(storage, images);
    case 'docker-dir':
      return dockerDirectory(storage, images);
  }
}

/** Everything an image consists of, each once. */
function blobsOf(storage: Storage, images: readonly SavedImage[]): Set<Digest> {
  const digests = images.flatMap(({ image }): Digest[] => {
    const manifest = readImageManifest(storage, image);
    return [
      ...manifest.layers.map((layer) => layer.digest),
      manifest.config.digest,
      image.manifestDigest,
    ];
  });
  return new Set(digests);
}

function* ociLayout(storage: Storage, images: readonly SavedImage[]): Iterable<NewMember> {
  const manifests = images.flatMap(({ image, names }) => {
    const descriptor = {
      mediaType: image.manifestType,
      digest: image.manifestDigest,
      size: requireSize(storage, image.manifestDigest),
    };
    if (names.length === 0) return [descriptor];
    return names.map((name) => ({
      ...descriptor,
      annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
    }));
  });
  yield textMember('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
  yield textMember(
    'index.json',
    JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociIndex, manifests }),
  );
  yield directoryMember('blobs/');
  yield directoryMember('blobs/sha256/');
  for (const digest of blobsOf(storage, images))
    yield blobMember(storage, digest, `blobs/sha256/${digestHex(digest)}`);
}

function* dockerDirectory(storage: Storage, images: readonly SavedImage[]): Iterable<NewMember> {
  const [first, second] = images;
  if (first === undefined || second !== undefined)
    throw new TsmanError('docker-dir holds exactly one image');
  yield textMember('version', 'Directory Transport Version: 1.1\n');
  yield textMember('manifest.json', readSmallBlob(storage, first.image.manifestDigest));
  const blobs = blobsOf(storage, images);
  blobs.delete(first.image.manifestDigest);
  for (const digest of blobs) yield blobMember(storage, digest, digestHex(digest));
}

function* dockerArchive(storage: Storage, images: readonly SavedImage[]): Iterable<NewMember> {
  const written = new Set<string>();
  for (const { image } of images) {
    for (const { diffID, digest } of image.layers) {
      if (written.has(diffID)) continue;
      written.add(diffID);
      const isPlain = diffID === digest;
      const open = (): AsyncIterable<Uint8Array> => plainBlob(storage, digest);
      yield {
        name: layerFile(diffID),
        sizeBytes: isPlain ? requireSize(storage, digest) : undefined,
        open,
      };
    }
    if (!written.has(image.id))
      yield textMember(`${image.id}.json`, readSmallBlob(storage, `sha256:${image.id}`));
    written.add(image.id);
  }
  const manifest = images.map(({ image, names }) => ({
    Config: `${image.id}.json`,
    RepoTags: names.filter((name) => !name.includes('@')),
    Layers: image.layers.map(({ diffID }) => layerFile(diffID)),
  }));
  yield textMember('manifest.json', JSON.stringify(manifest));
}

function layerFile(diffID: Digest): string {
  return `${digestHex(diffID)}.tar`;
}

function blobMember(storage: Storage, digest: Digest, name: string): NewMember {
  return { name, sizeBytes: requireSize(storage, digest), open: () => readBlob(storage, digest) };
}

function requireSize(storage: Storage, digest: Digest): number {
  const sizeBytes = blobSize(storage, digest);
  if (sizeBytes === undefined)
    throw new TsmanError(`blob ${digest} is missing`, { hint: 'pull or load the image again' });
  return sizeBytes;
}

function readBlob(storage: Storage, digest: Digest): AsyncIterable<Uint8Array> {
  return fs.createReadStream(blobPath(storage, digest), { highWaterMark: CHUNK_BYTES });
}

function plainBlob(storage: Storage, digest: Digest): AsyncIterable<Uint8Array> {
  return decompressed(readBlob(storage, digest));
}
