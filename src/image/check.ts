import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { type Digest, digestHex, isDigest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { blobPath, blobSize, imageLayout } from '../storage/blobs.ts';
import {
  type ImageRecord,
  listImages,
  readImageConfig,
  readImageManifest,
} from '../storage/images.ts';
import { hasLayer } from '../storage/layers.ts';
import type { Storage } from '../storage/storage.ts';

/** Something wrong with the store. */
export type Damage =
  | { readonly kind: 'blob'; readonly digest: Digest; readonly text: string }
  | {
      readonly kind: 'layer';
      readonly layer: { readonly descriptor: Descriptor; readonly diffID: Digest };
      readonly text: string;
    }
  | { readonly kind: 'image'; readonly image: ImageRecord; readonly text: string };

/**
 * Looks for what is missing or is not what its name says. `isQuick` compares sizes instead of reading
 * every blob.
 */
export async function findDamage(
  storage: Storage,
  { isQuick }: { readonly isQuick: boolean },
): Promise<Damage[]> {
  const found: Damage[] = [];
  if (!isQuick) found.push(...(await wrongBlobs(storage)));
  const bad = new Set(found.flatMap((it) => (it.kind === 'blob' ? [it.digest] : [])));
  for (const image of listImages(storage)) found.push(...imageDamage(storage, image, bad));
  return found;
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

function imageDamage(storage: Storage, image: ImageRecord, bad: ReadonlySet<Digest>): Damage[] {
  const name = image.names[0] ?? image.id.slice(0, 12);
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
