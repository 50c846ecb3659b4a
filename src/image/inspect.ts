import { join } from 'node:path';
import { digestHex } from '../oci/digest.ts';
import { familiarName, parseReference, repositoryName } from '../oci/reference.ts';
import { type ImageRecord, readImageConfig, readImageManifest } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';

/** What `image inspect` shows, with Podman's names. */
export function inspectImage(
  { storage }: { readonly storage: Storage },
  image: ImageRecord,
): object {
  const config = readImageConfig(storage, image);
  const manifest = readImageManifest(storage, image);
  const history = config.history ?? [];
  return {
    Id: image.id,
    Digest: image.manifestDigest,
    RepoTags: repoTags(image),
    RepoDigests: repoDigests(image),
    Parent: '',
    Comment: history.at(-1)?.comment ?? '',
    Created: image.createdAt,
    Config: config.config ?? {},
    Version: '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Os: config.os,
    Size: image.sizeBytes,
    VirtualSize: image.sizeBytes,
    GraphDriver: { Name: 'overlay', Data: graphData(storage, image) },
    RootFS: { Type: 'layers', Layers: image.layers.map((layer) => layer.diffID) },
    Labels: config.config?.Labels ?? {},
    Annotations: manifest.annotations ?? {},
    ManifestType: image.manifestType,
    User: config.config?.User ?? '',
    History: history,
    NamesHistory: image.names,
  };
}

/** Where the unpacked layers are; the uppermost first, as overlay wants them. */
function graphData({ directories }: Storage, image: ImageRecord): object {
  const paths = image.layers.map((layer) =>
    join(directories.dataRoot, 'layers', digestHex(layer.diffID)),
  );
  const [upper, ...lower] = paths.toReversed();
  return { ...(lower.length === 0 ? {} : { LowerDir: lower.join(':') }), UpperDir: upper ?? '' };
}

/** The names with a tag. */
export function repoTags(image: ImageRecord): string[] {
  return image.names.filter((name) => !name.includes('@'));
}

/** `registry/repository@sha256:...` for each repository and manifest the image is known by. */
export function repoDigests(image: ImageRecord): string[] {
  const known = [...image.manifestOf].map(
    ([name, digest]) => `${repositoryName(parseReference(name))}@${digest}`,
  );
  return [...new Set([...known, ...image.names.filter((name) => name.includes('@'))])];
}

/** Docker's short form of a recorded name. */
export function shortName(name: string): string {
  return familiarName(parseReference(name));
}
