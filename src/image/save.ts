import type { Writable } from 'node:stream';
import { TsmanError } from '../base/error.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import type { ImageRecord } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';
import { type LayerForm, type SavedBlob, type SavedContent, savedContent } from './save-layers.ts';
import { writeArchive, writeDirectory } from './save-output.ts';
import { directoryMember, type NewMember, textMember, writeTarStream } from './tar-writer.ts';

export const SAVE_FORMATS = ['docker-archive', 'oci-archive', 'oci-dir', 'docker-dir'] as const;
export type SaveFormat = (typeof SAVE_FORMATS)[number];

/** An image to save, and the names it shall have in the archive. */
export interface SavedImage {
  readonly image: ImageRecord;
  readonly names: readonly string[];
}

/** An image, the names it shall have, and what is written of it. */
interface Prepared extends SavedImage {
  readonly content: SavedContent;
}

/**
 * Writes images to a file, a directory (the -dir formats) or a stream. The OCI formats and docker-dir
 * hold the blobs exactly as they are stored, unless `form` says otherwise; a docker-archive has the
 * layers uncompressed, as every `load` since Docker 1.10 reads them.
 */
export async function saveImages(
  storage: Storage,
  images: readonly SavedImage[],
  format: SaveFormat,
  output: string | Writable,
  form: LayerForm = 'stored',
): Promise<void> {
  const prepared: Prepared[] = [];
  const used = format === 'docker-archive' ? 'uncompressed' : form;
  for (const saved of images)
    prepared.push({ ...saved, content: await savedContent(storage, saved.image, used) });
  const members = [...membersFor(prepared, format)];
  if (typeof output !== 'string') return writeTarStream(output, members);
  if (format.endsWith('-dir')) return writeDirectory(output, members);
  return writeArchive(output, members);
}

function membersFor(images: readonly Prepared[], format: SaveFormat): Iterable<NewMember> {
  switch (format) {
    case 'docker-archive':
      return dockerArchive(images);
    case 'oci-archive':
    case 'oci-dir':
      return ociLayout(images);
    case 'docker-dir':
      return dockerDirectory(images);
  }
}

function* ociLayout(images: readonly Prepared[]): Iterable<NewMember> {
  const manifests = images.flatMap(({ content, names }) => {
    const { descriptor } = content.manifest;
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
  const written = new Set<Digest>();
  for (const { content } of images)
    for (const blob of [...content.layers, content.config, content.manifest]) {
      const { digest } = blob.descriptor;
      if (!written.has(digest)) yield blobMember(blob, `blobs/sha256/${digestHex(digest)}`);
      written.add(digest);
    }
}

function* dockerDirectory(images: readonly Prepared[]): Iterable<NewMember> {
  const [first, second] = images;
  if (first === undefined || second !== undefined)
    throw new TsmanError('docker-dir holds exactly one image');
  yield textMember('version', 'Directory Transport Version: 1.1\n');
  yield textMember('manifest.json', first.content.manifest.bytes);
  const blobs = new Map<Digest, SavedBlob>();
  for (const blob of [...first.content.layers, first.content.config])
    blobs.set(blob.descriptor.digest, blob);
  for (const [digest, blob] of blobs) yield blobMember(blob, digestHex(digest));
}

function* dockerArchive(images: readonly Prepared[]): Iterable<NewMember> {
  const written = new Set<string>();
  for (const { image, content } of images) {
    for (const layer of content.layers) {
      const name = layerFile(layer.descriptor.digest);
      if (!written.has(name)) yield blobMember(layer, name);
      written.add(name);
    }
    const config = `${image.id}.json`;
    if (!written.has(config)) yield blobMember(content.config, config);
    written.add(config);
  }
  const manifest = images.map(({ image, names, content }) => ({
    Config: `${image.id}.json`,
    RepoTags: names.filter((name) => !name.includes('@')),
    Layers: content.layers.map(({ descriptor }) => layerFile(descriptor.digest)),
  }));
  yield textMember('manifest.json', JSON.stringify(manifest));
}

function layerFile(diffID: Digest): string {
  return `${digestHex(diffID)}.tar`;
}

function blobMember({ descriptor, open }: SavedBlob, name: string): NewMember {
  return { name, sizeBytes: descriptor.size, open };
}
