import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { type Digest, digestHex, isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { blobPath, blobSize, imageLayout } from '../storage/blobs.ts';
import { unreferenced } from '../storage/garbage.ts';
import {
  type ImageRecord,
  listManifests,
  readImageConfig,
  readImageManifest,
} from '../storage/images.ts';
import { layerDifference } from '../storage/layer-check.ts';
import { hasLayer, type LayerSource, type LayerTarget, layerPath } from '../storage/layers.ts';
import type { Storage } from '../storage/storage.ts';

/** Something wrong with the store. */
export type Damage =
  | { readonly kind: 'blob'; readonly digest: Digest; readonly text: string }
  | { readonly kind: 'layer'; readonly layer: LayerSource; readonly text: string }
  | { readonly kind: 'unreferenced'; readonly text: string }
  | { readonly kind: 'image'; readonly image: ImageRecord; readonly text: string };

export interface CheckDepth {
  /** Compares the sizes of blobs, and looks whether layers are there, instead of reading everything. */
  readonly isQuick: boolean;
  /** Layers and blobs that no image has had for so long are damage: what some command left. */
  readonly unreferencedMaxMs: number;
}

/** Looks for what is missing, or is not what its name says. */
export async function findDamage(
  target: LayerTarget,
  { isQuick, unreferencedMaxMs }: CheckDepth,
): Promise<Damage[]> {
  const { storage } = target;
  const found: Damage[] = oldUnreferenced(storage, Date.now() - unreferencedMaxMs);
  if (!isQuick) found.push(...(await wrongBlobs(storage)));
  const bad = new Set(found.flatMap((it) => (it.kind === 'blob' ? [it.digest] : [])));
  const images = listManifests(storage);
  for (const image of images) found.push(...imageDamage(storage, image, bad));
  if (!isQuick) found.push(...(await wrongLayers(target, images, bad)));
  return found;
}

/** By the time of the last change of the name or the mode: that of the content comes from the archive. */
function oldUnreferenced(storage: Storage, beforeMs: number): Damage[] {
  const { layers, blobs } = unreferenced(storage);
  const isOld = (path: string): boolean =>
    (fs.statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? Number.POSITIVE_INFINITY) < beforeMs;
  const damage = (what: string): Damage => ({
    kind: 'unreferenced',
    text: `${what} belongs to no image`,
  });
  return [
    ...layers
      .filter((diffID) => isOld(layerPath(storage, diffID)))
      .map((it) => damage(`layer ${it}`)),
    ...blobs.filter((digest) => isOld(blobPath(storage, digest))).map((it) => damage(`blob ${it}`)),
  ];
}

/** Every unpacked layer that is not what its blob unpacks to, each once whatever images share it. */
async function wrongLayers(
  target: LayerTarget,
  images: readonly ImageRecord[],
  bad: ReadonlySet<Digest>,
): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const [diffID, { image, descriptor }] of layerSources(target.storage, images, bad)) {
    const layer = { descriptor, diffID };
    const why = await layerDifference(target, layer);
    if (why === undefined) continue;
    const name = manifestName(image);
    const text = `image ${name}: layer ${digestHex(diffID).slice(0, 12)} is damaged: ${why}`;
    found.push({ kind: 'layer', layer, text });
  }
  return found;
}

/** The blobs that can be trusted to say what their layers should be. */
function layerSources(
  storage: Storage,
  images: readonly ImageRecord[],
  bad: ReadonlySet<Digest>,
): Map<Digest, { image: ImageRecord; descriptor: Descriptor }> {
  const sources = new Map<Digest, { image: ImageRecord; descriptor: Descriptor }>();
  for (const image of images)
    for (const [i, descriptor] of manifestLayers(storage, image).entries()) {
      const diffID = image.layers[i]?.diffID;
      const isGood =
        !bad.has(descriptor.digest) && blobSize(storage, descriptor.digest) === descriptor.size;
      if (diffID !== undefined && isGood) sources.set(diffID, { image, descriptor });
    }
  return sources;
}

/** None of an image whose manifest is damaged: that was said already. */
function manifestLayers(storage: Storage, image: ImageRecord): readonly Descriptor[] {
  try {
    return readImageManifest(storage, image).layers;
  } catch (error) {
    if (!(error instanceof TsmanError)) throw error;
    return [];
  }
}

/** Every blob whose content does not have the digest that is its name. */
async function wrongBlobs(storage: Storage): Promise<Damage[]> {
  const found: Damage[] = [];
  for (const name of fs.readdirSync(join(imageLayout(storage), 'blobs/sha256'))) {
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) continue;
    const hash = createHash('sha256');
    try {
      for await (const chunk of fs.createReadStream(blobPath(storage, digest), {
        highWaterMark: 1 << 20,
      }))
        hash.update(chunk);
    } catch (error) {
      // Removed meanwhile by another command.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      found.push({ kind: 'blob', digest, text: `blob ${digest} cannot be read: ${error}` });
      continue;
    }
    const actual = hash.digest('hex');
    if (actual !== name)
      found.push({
        kind: 'blob',
        digest,
        text: `blob ${digest} is damaged: it has sha256:${actual}`,
      });
  }
  return found;
}

/** The first name that means this manifest of the image. */
function manifestName({ id, manifestOf, manifestDigest }: ImageRecord): string {
  const names = [...manifestOf].filter(([, digest]) => digest === manifestDigest);
  return names[0]?.[0] ?? id.slice(0, 12);
}

function imageDamage(storage: Storage, image: ImageRecord, bad: ReadonlySet<Digest>): Damage[] {
  const name = manifestName(image);
  const lost = (why: string): Damage => ({ kind: 'image', image, text: `image ${name}: ${why}` });
  let layers: readonly Descriptor[];
  try {
    const config = readImageConfig(storage, image);
    ({ layers } = readImageManifest(storage, image));
    const recorded = image.layers.map(({ diffID }) => diffID).join();
    if (config.rootfs.diff_ids.join() !== recorded)
      return [lost('its record names other layers than its config')];
  } catch (error) {
    if (!(error instanceof TsmanError)) throw error;
    return [lost(error.message)];
  }
  return layers.flatMap((descriptor, i): Damage[] => {
    const diffID = image.layers[i]?.diffID ?? descriptor.digest;
    const size = blobSize(storage, descriptor.digest);
    if (bad.has(descriptor.digest) || size !== descriptor.size) {
      const state = size === undefined ? 'missing' : 'damaged';
      return [lost(`blob ${descriptor.digest} of its layer ${i + 1} is ${state}`)];
    }
    if (hasLayer(storage, diffID)) return [];
    const text = `image ${name}: layer ${digestHex(diffID).slice(0, 12)} is not unpacked`;
    return [{ kind: 'layer', layer: { descriptor, diffID }, text }];
  });
}
