import * as fs from 'node:fs';
import { type Damage, findDamage } from '../image/check.ts';
import { blobPath } from '../storage/blobs.ts';
import { collectGarbage } from '../storage/garbage.ts';
import { containersUsing, removeImage } from '../storage/images.ts';
import { hasLayer, unpackStoredLayer } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import type { CreateTarget } from './create.ts';
import { abandonedContainers, removeAbandonedContainers } from './leftovers.ts';
import { findContainer } from './record.ts';
import { removeContainer } from './remove.ts';

/** What `system check` says, and what was done about it. */
export interface CheckReport {
  readonly damages: readonly Damage[];
  /** Lines about things repaired. */
  readonly repaired: readonly string[];
  /** Container directories that no record names; no damage. */
  readonly abandoned: number;
}

export interface CheckOptions {
  readonly isQuick: boolean;
  readonly repair: boolean;
  /** Also remove containers that stand in the way of a repair. */
  readonly force: boolean;
}

/** Checks the store; with `repair` unpacks missing layers again and removes what cannot be saved. */
export async function checkStore(
  target: CreateTarget,
  options: CheckOptions,
): Promise<CheckReport> {
  const damages = await findDamage(target.storage, options);
  const abandoned = abandonedContainers(target).length;
  if (!options.repair) return { damages, repaired: [], abandoned };
  const repaired: string[] = [];
  const left: Damage[] = [];
  for (const damage of damages) {
    const done = await repair(target, damage, options.force);
    if (done === undefined) left.push(damage);
    else repaired.push(done);
  }
  await removeAbandonedContainers(target);
  await collectGarbage(target);
  return { damages: left, repaired, abandoned: 0 };
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
  if (damage.kind === 'layer') {
    await withIngest(storage, async () => {
      if (!hasLayer(storage, damage.layer.diffID)) await unpackStoredLayer(target, damage.layer);
    });
    return `unpacked layer ${damage.layer.diffID} again`;
  }
  const users = containersUsing(storage, damage.image.id);
  if (users.length > 0 && !force) return undefined;
  for (const user of users)
    await removeContainer(target, findContainer(storage, user), { force: true });
  // Two of its layers may be damaged.
  removeImage(storage, damage.image);
  return `removed image ${damage.image.names[0] ?? damage.image.id.slice(0, 12)}; pull or load it again`;
}
