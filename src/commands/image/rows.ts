import { repoDigests, repoTags } from '../../image/inspect.ts';
import { parseReference, repositoryName } from '../../oci/reference.ts';
import { humanSince, humanSize } from '../../output/units.ts';
import { containersUsing, type ImageRecord, readImageConfig } from '../../storage/images.ts';
import type { Storage } from '../../storage/storage.ts';

/** One line of `images`: an image under one of its names. */
export interface ImageLine {
  readonly image: ImageRecord;
  readonly name: string | undefined;
}

/** A line for each name; one for an image without. */
export function imageLines(images: readonly ImageRecord[]): ImageLine[] {
  return images.flatMap((image): ImageLine[] =>
    image.names.length === 0
      ? [{ image, name: undefined }]
      : image.names.map((name) => ({ image, name })),
  );
}

export const IMAGE_HEADERS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  Id: 'IMAGE ID',
  Created: 'CREATED',
  CreatedAt: 'CREATED AT',
  CreatedSince: 'CREATED',
  CreatedTime: 'CREATED',
  Size: 'SIZE',
  VirtualSize: 'SIZE',
  Names: 'NAMES',
  RepoTags: 'REPOTAGS',
  RepoDigests: 'REPODIGESTS',
  Labels: 'LABELS',
  Containers: 'CONTAINERS',
  History: 'HISTORY',
  ReadOnly: 'R/O',
} as const;

/** The fields of a line for --format; what costs a read is computed when asked for. */
export function imageRow(
  storage: Storage,
  { image, name }: ImageLine,
  isTruncated: boolean,
): object {
  const reference = name === undefined ? undefined : parseReference(name);
  const since = humanSince(image.createdAt);
  return {
    Repository: reference === undefined ? '<none>' : repositoryName(reference),
    Tag: reference?.tag ?? '<none>',
    Digest: image.manifestOf.get(name ?? '') ?? image.manifestDigest,
    ID: isTruncated ? image.id.slice(0, 12) : `sha256:${image.id}`,
    Id: image.id,
    Created: since,
    CreatedAt: goTime(image.createdAt),
    CreatedSince: since,
    CreatedTime: goTime(image.createdAt),
    Size: humanSize(image.sizeBytes),
    VirtualSize: image.sizeBytes,
    Names: image.names,
    RepoTags: repoTags(image),
    RepoDigests: repoDigests(image),
    get Labels() {
      return readImageConfig(storage, image).config?.Labels ?? {};
    },
    get Containers() {
      return containersUsing(storage, image.id).length;
    },
    History: image.names,
    ReadOnly: false,
  };
}

/** As Go prints a time, `2024-01-31 12:00:00.5 +0000 UTC`; scripts that read Podman's parse it. */
function goTime(iso: string): string {
  const time = new Date(iso).toISOString();
  return `${time.slice(0, 10)} ${time.slice(11, 23).replace(/\.0*$|(?<=\.\d*[1-9])0+$/, '')} +0000 UTC`;
}

/** An element of `images --format json`, as Podman's. */
export function imageJson(storage: Storage, image: ImageRecord): object {
  return {
    Id: image.id,
    ParentId: '',
    RepoTags: repoTags(image),
    RepoDigests: repoDigests(image),
    Size: image.sizeBytes,
    SharedSize: 0,
    VirtualSize: image.sizeBytes,
    Labels: readImageConfig(storage, image).config?.Labels ?? {},
    Containers: containersUsing(storage, image.id).length,
    Names: image.names,
    Digest: image.manifestDigest,
    History: image.names,
    Created: Math.floor(Date.parse(image.createdAt) / 1000),
    CreatedAt: image.createdAt,
  };
}
