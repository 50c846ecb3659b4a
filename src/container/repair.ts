import * as fs from 'node:fs';
import { type CheckDepth, type Damage, findDamage } from '../image/check.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import { blobPath } from '../storage/blobs.ts';
import { collectGarbage } from '../storage/garbage.ts';
import { findImage } from '../storage/image-lookup.ts';
import { containersUsing, type ImageRecord, removeImage, untagImage } from '../storage/images.ts';
import { replaceLayer } from '../storage/layer-check.ts';
import { hasLayer, unpackStoredLayer } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import type { Storage } from '../storage/storage.ts';
import type { CreateTarget } from './create.ts';
import { abandonedContainers, removeAbandonedContainers } from './leftovers.ts';
import { findContainer, listContainers } from './record.ts';
import { removeContainer } from './remove.ts';
import { pruneShifted } from './root/shifted-root.ts';
import { isActive, readState } from './state.ts';

/** What `system check` says, and what was done about it. */
export interface CheckReport {
  readonly damages: readonly Damage[];
  /** Lines about things repaired. */
  readonly repaired: readonly string[];
  /** Container directories that no record names; no damage. */
  readonly abandoned: number;
}

export interface CheckOptions extends CheckDepth {
  readonly repair: boolean;
  /** Also remove containers that stand in the way of a repair. */
  readonly force: boolean;
}

/** Checks the store; with `repair` unpacks missing layers again and removes what cannot be saved. */
export async function checkStore(
  target: CreateTarget,
  options: CheckOptions,
): Promise<CheckReport> {
  const damages = await findDamage(target, options);
  const abandoned = abandonedContainers(target).length;
  if (!options.repair) return { damages, repaired: [], abandoned };
  const repaired: string[] = [];
  const left: Damage[] = [];
  const layersDone = new Set<Digest>();
  for (const damage of damages) {
    // Said once for every image that has it.
    if (damage.kind === 'layer' && layersDone.has(damage.layer.diffID)) continue;
    if (damage.kind === 'layer') layersDone.add(damage.layer.diffID);
    const done = await repair(target, damage, options.force);
    if (done === undefined) left.push(damage);
    else repaired.push(done);
  }
  await removeAbandonedContainers(target);
  await collectGarbage(target);
  // Made again when needed, and then from the layers as they are now.
  await pruneShifted(target);
  return { damages: left.map((it) => reason(target, it)), repaired, abandoned: 0 };
}

/** @returns what was done, or undefined when nothing could be */
async function repair(
  target: CreateTarget,
  damage: Damage,
  force: boolean,
): Promise<string | undefined> {
  const { storage } = target;
  if (damage.kind === 'blob') {
    // An image that needs it has a damage of its own.
    fs.rmSync(blobPath(storage, damage.digest), { force: true });
    return `removed blob ${damage.digest}`;
  }
  // The collector, which comes last, takes it.
  if (damage.kind === 'unreferenced') return `removed what was left: ${damage.text}`;
  if (damage.kind === 'layer') {
    const { layer } = damage;
    if (runningOn(target, layer.diffID).length > 0) return undefined;
    if (hasLayer(storage, layer.diffID)) await replaceLayer(target, layer);
    else await withIngest(storage, () => unpackStoredLayer(target, layer));
    return `unpacked layer ${layer.diffID} again`;
  }
  if (hasOtherManifest(storage, damage.image)) return removeManifest(storage, damage.image);
  const users = containersUsing(storage, damage.image.id);
  if (users.length > 0 && !force) return undefined;
  for (const user of users)
    await removeContainer(target, findContainer(storage, user), { force: true });
  // Two of its layers may be damaged.
  removeImage(storage, damage.image);
  return `removed image ${damage.image.names[0] ?? damage.image.id.slice(0, 12)}; pull or load it again`;
}

/** Whether names mean another manifest of the image, which may be sound. */
function hasOtherManifest(storage: Storage, { id, manifestDigest }: ImageRecord): boolean {
  const now = findImage(storage, `sha256:${id}`);
  return [...(now?.manifestOf.values() ?? [])].some((digest) => digest !== manifestDigest);
}

function removeManifest(storage: Storage, image: ImageRecord): string {
  const { manifestOf, manifestDigest } = image;
  const names = [...manifestOf.keys()].filter((name) => manifestOf.get(name) === manifestDigest);
  untagImage(storage, image, names);
  return `removed image ${names.join(', ')}; pull or load it again`;
}

/** The containers that have the layer in a mounted file system now: it must not be taken from them. */
function runningOn({ storage, directories }: CreateTarget, diffID: Digest): string[] {
  return listContainers(storage)
    .filter(({ spec }) => spec.layers.includes(digestHex(diffID)))
    .filter(({ id }) => isActive(readState(directories, id)))
    .map(({ name }) => name);
}

/** Says what stood in the way of the repair. */
function reason(target: CreateTarget, damage: Damage): Damage {
  if (damage.kind !== 'layer') return damage;
  const names = runningOn(target, damage.layer.diffID).join(', ');
  return { ...damage, text: `${damage.text}; container ${names} runs on it: stop it first` };
}
