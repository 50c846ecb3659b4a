import { TsmanError, UsageError } from '../base/error.ts';
import type { Digest } from '../oci/digest.ts';
import { MEDIA_TYPE } from '../oci/image.ts';
import { formatReference, parseLocalReference } from '../oci/reference.ts';
import { putManifest } from '../registry/manifests.ts';
import { blobSize, sha256 } from '../storage/blobs.ts';
import { collectIfLeft } from '../storage/garbage.ts';
import { imageWithManifest } from '../storage/image-lookup.ts';
import { findImage, type ImageRecord, readImageConfig } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import {
  findManifestList,
  type ListEntry,
  type ListIndex,
  type ListPlatform,
  type ManifestList,
  saveManifestList,
} from '../storage/manifest-lists.ts';
import type { Storage } from '../storage/storage.ts';
import { type PushOptions, sendImage, withDestination } from './push.ts';

/** What an entry may be given besides what its image says. */
export interface EntryChanges {
  readonly platform: Partial<ListPlatform>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The full name that the user means by a list's name. */
export function listName(text: string): string {
  return formatReference(parseLocalReference(text));
}

/** @throws TsmanError when there is none */
export function requireManifestList(storage: Storage, text: string): ManifestList {
  const list = findManifestList(storage, listName(text));
  if (list === undefined)
    throw new TsmanError(`${text}: no manifest list of this name`, {
      hint: `make it with tsman manifest create ${text}`,
    });
  return list;
}

/** Adds an image of the store to a list; one that is in it already is described anew. */
export function addToList(
  storage: Storage,
  list: ManifestList,
  image: ImageRecord,
  changes: EntryChanges,
): ManifestList {
  const { architecture, os, variant } = readImageConfig(storage, image);
  const entry: ListEntry = {
    mediaType: image.manifestType,
    digest: image.manifestDigest,
    size: blobSize(storage, image.manifestDigest) ?? 0,
    platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
  };
  const others = list.index.manifests.filter(({ digest }) => digest !== entry.digest);
  const manifests = [...others, changeEntry(entry, changes)];
  return saveManifestList(storage, list.name, { ...list.index, manifests });
}

/** Adds to what is said of the list itself. */
export function annotateList(
  storage: Storage,
  list: ManifestList,
  more: Readonly<Record<string, string>>,
): ManifestList {
  if (Object.keys(more).length === 0) return list;
  const annotations = { ...list.index.annotations, ...more };
  return saveManifestList(storage, list.name, { ...list.index, annotations });
}

/** Describes an entry, found by its digest or its image's name, in another way. */
export function annotateEntry(
  storage: Storage,
  list: ManifestList,
  text: string,
  changes: EntryChanges,
): ManifestList {
  const digest = entryDigest(storage, list, text);
  const manifests = list.index.manifests.map((entry) =>
    entry.digest === digest ? changeEntry(entry, changes) : entry,
  );
  return saveManifestList(storage, list.name, { ...list.index, manifests });
}

/** Takes an entry out of a list. */
export function removeFromList(storage: Storage, list: ManifestList, text: string): ManifestList {
  const digest = entryDigest(storage, list, text);
  const manifests = list.index.manifests.filter((entry) => entry.digest !== digest);
  return saveManifestList(storage, list.name, { ...list.index, manifests });
}

function entryDigest(storage: Storage, { name, index }: ManifestList, text: string): Digest {
  const wanted = text.startsWith('sha256:')
    ? text
    : (findImage(storage, text)?.manifestDigest ?? text);
  const found = index.manifests.find(({ digest }) => digest === wanted);
  if (found === undefined) throw new TsmanError(`${text} is not in manifest list ${name}`);
  return found.digest;
}

function changeEntry(entry: ListEntry, { platform, annotations }: EntryChanges): ListEntry {
  const all = { ...entry.annotations, ...annotations };
  return {
    ...entry,
    platform: { ...entry.platform, ...platform },
    ...(Object.keys(all).length === 0 ? {} : { annotations: all }),
  };
}

/** Sends every image of a list, then the list. Returns its digest there. */
export async function pushList(
  target: LayerTarget,
  list: ManifestList,
  destination: string,
  options: PushOptions,
): Promise<Digest> {
  const { storage } = target;
  return withDestination(target, destination, options, async (to) => {
    const manifests: ListEntry[] = [];
    for (const entry of list.index.manifests) {
      const image = imageWithManifest(storage, entry.digest);
      if (image === undefined)
        throw new TsmanError(`image ${entry.digest} of the list was removed from the store`, {
          hint: `add it again, or take it out with tsman manifest remove ${list.name} ${entry.digest}`,
        });
      manifests.push({ ...entry, ...(await sendImage(storage, image, to, undefined, options)) });
    }
    const index = formatIndex({ ...list.index, manifests }, options.format);
    const bytes = Buffer.from(JSON.stringify(index));
    await putManifest(to.session, to.repository, to.reference.tag ?? 'latest', {
      bytes,
      mediaType: index.mediaType,
    });
    return sha256(bytes);
  });
}

/** Docker's list knows no annotations; a list of Docker's manifests only is one of Docker's, too. */
function formatIndex(index: ListIndex, format: PushOptions['format']): ListIndex {
  const isDocker =
    format === 'docker' ||
    (format === undefined &&
      index.manifests.length > 0 &&
      index.manifests.every(({ mediaType }) => mediaType === MEDIA_TYPE.dockerManifest));
  if (!isDocker) return { ...index, mediaType: MEDIA_TYPE.ociIndex };
  const manifests = index.manifests.map(({ annotations: _, ...entry }) => entry);
  return { schemaVersion: 2, mediaType: MEDIA_TYPE.dockerList, manifests };
}

/** Runs `work`, which adds images and entries, safe from the collector. */
export async function withListLease<T>(target: LayerTarget, work: () => Promise<T>): Promise<T> {
  try {
    return await withIngest(target.storage, work);
  } finally {
    await collectIfLeft(target);
  }
}

/** `KEY=VALUE` words as a record. */
export function parseAnnotations(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const at = word.indexOf('=');
      if (at < 1)
        throw new UsageError(`option --annotation: ${JSON.stringify(word)} is not KEY=VALUE`);
      return [word.slice(0, at), word.slice(at + 1)];
    }),
  );
}
