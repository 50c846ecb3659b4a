import { existsSync, realpathSync, statSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { checkFilePolicy } from '../config/policy.ts';
import { digestHex } from '../oci/digest.ts';
import { parseIndex, parseManifest } from '../oci/manifest.ts';
import { collectIfLeft } from '../storage/garbage.ts';
import type { ImageRecord } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import { dockerArchiveImages } from './docker-archive.ts';
import { type ImageFiles, openImageArchive, openImageDirectory } from './image-files.ts';
import { ociLayoutImages } from './oci-layout.ts';
import { type FoundImage, storeFoundImage } from './store-found.ts';

/** Limits for the few documents an archive is read by. */
const MAX_DOCUMENT_BYTES = 4 << 20;

/**
 * Loads every image of an archive (docker-archive, oci-archive; also gzip, zstd, xz, bzip2) or of a
 * directory (oci-dir, docker-dir). A string is a path.
 */
export async function loadImages(
  target: LayerTarget,
  input: string | AsyncIterable<Uint8Array>,
  accept: AcceptFiles = checkFilePolicy,
): Promise<ImageRecord[]> {
  const files = await openInput(target, input);
  try {
    acceptFiles(files, input, accept);
    return await withIngest(target.storage, async () => {
      const records: ImageRecord[] = [];
      for (const image of findImages(files))
        records.push(await storeFoundImage(target, files, image));
      return records;
    });
  } finally {
    files.close();
    await collectIfLeft(target);
  }
}

/** Refuses what policy.json does not let in. */
export type AcceptFiles = (transport: string, place?: string) => void;

/** The names of containers-transports(5); only directories have scopes of their own. */
function acceptFiles(
  files: ImageFiles,
  input: string | AsyncIterable<Uint8Array>,
  accept: AcceptFiles,
): void {
  const isDirectory = typeof input === 'string' && isDirectoryPath(input);
  const place = isDirectory ? realpathSync(input) : '';
  if (files.has('index.json') && files.has('oci-layout'))
    accept(isDirectory ? 'oci' : 'oci-archive', place);
  else if (files.has('version') && files.has('manifest.json')) accept('dir', place);
  else accept('docker-archive');
}

function isDirectoryPath(path: string): boolean {
  return existsSync(path) && statSync(path).isDirectory();
}

async function openInput(
  target: LayerTarget,
  input: string | AsyncIterable<Uint8Array>,
): Promise<ImageFiles> {
  if (typeof input === 'string' && isDirectoryPath(input)) return openImageDirectory(input);
  return openImageArchive(target.storage, input);
}

/** Newer `docker save` writes both formats in one: the OCI half has the blobs as they were pulled. */
function findImages(files: ImageFiles): FoundImage[] {
  if (files.has('index.json') && files.has('oci-layout')) {
    return ociLayoutImages(files, parseIndex(files.read('index.json', MAX_DOCUMENT_BYTES)));
  }
  if (files.has('version') && files.has('manifest.json')) return [dockerDirectoryImage(files)];
  if (files.has('manifest.json'))
    return dockerArchiveImages(files, files.read('manifest.json', MAX_DOCUMENT_BYTES));
  throw new TsmanError('this holds no image: neither index.json nor manifest.json', {
    hint: 'a root file system is taken with tsman import',
  });
}

/** containers/image "dir:": a manifest, and the blobs by their bare hexadecimal digests. */
function dockerDirectoryImage(files: ImageFiles): FoundImage {
  const manifestBytes = files.read('manifest.json', MAX_DOCUMENT_BYTES);
  const manifest = parseManifest(manifestBytes);
  return {
    manifestBytes,
    manifest,
    names: [],
    fileOf: digestHex,
  };
}
