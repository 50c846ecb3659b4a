import { TsmanError } from '../base/error.ts';
import { formatReference, parseLocalReference } from '../oci/reference.ts';
import { collectGarbage } from '../storage/garbage.ts';
import { findImage, matchedName } from '../storage/image-lookup.ts';
import {
  containersUsing,
  getImage,
  type ImageRecord,
  imageInUse,
  listImages,
  removeImage,
  untagImage,
} from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { findManifestList } from '../storage/manifest-lists.ts';

/** Ends and removes a container, running or not; given by the caller, for containers are above images. */
export type RemoveContainer = (containerID: string) => Promise<void>;

export interface RemoveOptions {
  readonly force: boolean;
  /** Remove the image however many names it has. */
  readonly allNames?: boolean;
  readonly removeContainer: RemoveContainer;
}

/** What happened: names that went, and the ID when the image itself did. */
export interface Removed {
  readonly untagged: readonly string[];
  readonly deleted: string | undefined;
}

/**
 * `rmi` of one image: a name of several is only untagged; by ID, or with its last name, the image
 * goes. The content goes with collectGarbage, once, after the last image.
 */
export async function removeImageByName(
  { storage }: Pick<LayerTarget, 'storage'>,
  text: string,
  options: RemoveOptions,
): Promise<Removed> {
  const image = findImage(storage, text);
  // Podman's exit codes for rmi: 1 not there, 2 in use.
  if (image === undefined) throw unknownImage(storage, text);
  const name = matchedName(image, text);
  if (name !== undefined && image.names.length > 1) {
    untagImage(storage, image, [name]);
    return { untagged: [name], deleted: undefined };
  }
  if (name === undefined && image.names.length > 1 && !options.force && options.allNames !== true) {
    throw new TsmanError(
      `image ${image.id.slice(0, 12)} has several names: ${image.names.join(', ')}`,
      {
        hint: 'remove it by each name, or use -f',
      },
    );
  }
  await removeUsers({ storage }, image, options);
  removeImage(storage, image);
  return { untagged: image.names, deleted: image.id };
}

function unknownImage(storage: LayerTarget['storage'], text: string): TsmanError {
  const isID = /^(sha256:)?[0-9a-f]{64}$/.test(text);
  const list = isID
    ? undefined
    : findManifestList(storage, formatReference(parseLocalReference(text)));
  if (list === undefined) return new TsmanError(`${text}: image not known`, { exitCode: 1 });
  return new TsmanError(`${text} is a manifest list, not an image`, {
    exitCode: 1,
    hint: `tsman manifest rm ${text} removes it`,
  });
}

async function removeUsers(
  { storage }: Pick<LayerTarget, 'storage'>,
  image: ImageRecord,
  options: RemoveOptions,
): Promise<void> {
  const users = containersUsing(storage, image.id);
  if (users.length > 0 && !options.force) throw imageInUse(image.id, users);
  for (const user of users) await options.removeContainer(user);
}

/**
 * Removes images nobody needs: those without a name, with `all` also named ones that no container
 * uses. Returns their IDs and the bytes that became free.
 */
export async function pruneImages(
  target: LayerTarget,
  options: { readonly all: boolean; readonly select?: (images: ImageRecord[]) => ImageRecord[] },
): Promise<{ ids: string[]; freedBytes: number }> {
  const { storage } = target;
  const unused = listImages(storage).filter((image) => options.all || image.names.length === 0);
  const ids: string[] = [];
  for (const image of options.select?.(unused) ?? unused) {
    if (containersUsing(storage, image.id).length > 0) continue;
    removeImage(storage, getImage(storage, image.id));
    ids.push(image.id);
  }
  const { freedBytes } = await collectGarbage(target);
  return { ids, freedBytes };
}
