import { TsmanError } from '../base/error.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import type { Descriptor, Index } from '../oci/image.ts';
import { isIndexType, MAX_MANIFEST_BYTES, parseIndex, parseManifest } from '../oci/manifest.ts';
import { formatReference, parseLocalReference } from '../oci/reference.ts';
import { sha256 } from '../storage/blobs.ts';
import type { ImageFiles } from './image-files.ts';
import type { FoundImage } from './store-found.ts';

/** An index may name indexes; real ones do so once. */
const MAX_INDEX_DEPTH = 3;
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  ia32: '386',
  arm: 'arm',
};

/** The images an OCI layout's index.json names; of a multi-platform one, the host's. */
export function ociLayoutImages(files: ImageFiles, index: Index): FoundImage[] {
  if (index.manifests.length === 0) throw new TsmanError('index.json names no image');
  const byDigest = new Map<Digest, FoundImage>();
  for (const descriptor of index.manifests) {
    const found = findImage(files, descriptor, 0);
    const name = nameOf(descriptor);
    const digest = sha256(found.manifestBytes);
    const names = [...(byDigest.get(digest)?.names ?? []), ...(name === undefined ? [] : [name])];
    byDigest.set(digest, { ...found, names });
  }
  return [...byDigest.values()];
}

function findImage(files: ImageFiles, descriptor: Descriptor, depth: number): FoundImage {
  const bytes = readBlob(files, descriptor);
  if (!isIndexType(descriptor.mediaType)) {
    return {
      manifestBytes: bytes,
      manifest: parseManifest(bytes, descriptor.mediaType),
      names: [],
      fileOf: blobFile,
    };
  }
  if (depth >= MAX_INDEX_DEPTH)
    throw new TsmanError(`image indexes are nested deeper than ${MAX_INDEX_DEPTH}`);
  const inner = pickPlatform(parseIndex(bytes, descriptor.mediaType));
  return findImage(files, inner, depth + 1);
}

function pickPlatform({ manifests }: Index): Descriptor {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const fits = ({ platform }: Descriptor): boolean =>
    platform === undefined || (platform.os === 'linux' && platform.architecture === architecture);
  const chosen = manifests.find(fits);
  if (chosen === undefined)
    throw new TsmanError(`image index has nothing for linux/${architecture}`);
  return chosen;
}

function readBlob(files: ImageFiles, { digest, size }: Descriptor): Buffer {
  const bytes = files.read(blobFile(digest), MAX_MANIFEST_BYTES);
  if (bytes.length !== size)
    throw new TsmanError(`blob ${digest} has ${bytes.length} bytes, its descriptor says ${size}`);
  if (sha256(bytes) !== digest)
    throw new TsmanError(`blob ${digest}: content has digest ${sha256(bytes)}`);
  return bytes;
}

function blobFile(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

/** containerd's annotation has the full name; `ref.name` may be that or a bare name or tag. */
function nameOf({ annotations }: Descriptor): string | undefined {
  const name =
    annotations?.['io.containerd.image.name'] ?? annotations?.['org.opencontainers.image.ref.name'];
  return name === undefined ? undefined : formatReference(parseLocalReference(name));
}
