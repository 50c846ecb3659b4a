import { TsmanError } from '../../base/error.ts';
import type { OwnerView } from '../../helper/fs-owners.ts';
import { type StorageDriver, shiftKind } from '../../storage/driver.ts';
import { discardPaths } from '../../storage/partials.ts';
import {
  dropEmptyMaps,
  listShiftedLayers,
  type ShiftMap,
  shiftName,
  startShift,
  unshiftedLayers,
} from '../../storage/shifted-layers.ts';
import type { CreateTarget } from '../create-types.ts';
import { type Container, findContainer, listContainers, type VolumeMount } from '../record.ts';
import type { OwnUserns } from './userns.ts';

/** How a container with a user namespace of its own sees its image; see docs/volumes.md. */
export type UsernsRoot = 'auto' | 'native' | 'fuse-overlayfs';

/** The longest that a first start waits for layers to be shifted. */
const PATIENCE_MS = 40;

/**
 * The map of a container's user namespace; undefined when it is unknown (`ns:PATH`), `engine` when it is
 * the engine's own (`container:` of one without a namespace of its own).
 */
export function mapOf(target: CreateTarget, userns: OwnUserns): ShiftMap | 'engine' | undefined {
  if (userns.join === undefined) return userns;
  if (!userns.join.startsWith('container:')) return undefined;
  const other = findContainer(target.storage, userns.join.slice('container:'.length)).spec.userns;
  return other === undefined ? 'engine' : mapOf(target, other);
}

/**
 * Decides how a new container's root is put together: natively on shifted layers when they are there
 * or can be made in a moment, else at once through fuse-overlayfs; then the layers are shifted
 * meanwhile, for the next one. @returns the record's `shifted`
 */
export async function chooseRoot(
  target: CreateTarget,
  userns: OwnUserns | undefined,
  layers: readonly string[],
  { wish, driver }: { wish: UsernsRoot; driver: StorageDriver | undefined },
): Promise<{ shifted?: string }> {
  if (userns === undefined || layers.length === 0 || wish === 'fuse-overlayfs') return {};
  const map = mapOf(target, userns);
  const kind = driver === undefined ? await shiftKind(target) : undefined;
  if (map === undefined || map === 'engine' || kind === undefined) {
    if (wish === 'native') throw cannotShift(userns, map === undefined);
    return {};
  }
  const shifted = shiftName(map, kind);
  const missing = unshiftedLayers(target.directories, shifted, layers);
  if (missing.length === 0) return { shifted };
  if (wish === 'native') await shiftNow(target, shifted, map, missing);
  else if (!(await shiftInAMoment(target, shifted, map, missing))) return {};
  return { shifted };
}

/** The same for images that are mounted: they wait for their layers. Undefined `shifted`: ids as on the disk. */
export async function chooseMounts(
  target: CreateTarget,
  userns: OwnUserns | undefined,
  mounts: readonly VolumeMount[],
): Promise<VolumeMount[]> {
  const map = userns === undefined ? undefined : mapOf(target, userns);
  if (map === undefined || map === 'engine' || !mounts.some(({ type }) => type === 'image'))
    return [...mounts];
  const kind = await shiftKind(target);
  if (kind === undefined) return [...mounts];
  const shifted = shiftName(map, kind);
  const images = mounts.filter(({ type }) => type === 'image');
  const layers = images.flatMap((mount) => mount.layers ?? []);
  const missing = unshiftedLayers(target.directories, shifted, layers);
  if (missing.length > 0) await shiftNow(target, shifted, map, missing);
  return mounts.map((mount) => (mount.type === 'image' ? { ...mount, shifted } : mount));
}

/** Every shifted layer that a container's root and mounts are made of. */
function shiftsOf({
  shifted,
  layers,
  volumes,
}: Container['spec']): { name: string; hex: string }[] {
  return [{ shifted, layers }, ...volumes].flatMap((each) =>
    each.shifted === undefined
      ? []
      : (each.layers ?? []).map((hex) => ({ name: each.shifted ?? '', hex })),
  );
}

function cannotShift({ mode }: OwnUserns, isUnknown: boolean): TsmanError {
  return new TsmanError(
    isUnknown
      ? `--userns ${mode}: its id map is not known, so that no layers can be shifted for it`
      : "--storage-opt overlay.userns=native: the kernel's overlay cannot be mounted here",
    { hint: 'leave out --storage-opt overlay.userns=native' },
  );
}

async function shiftInAMoment(
  target: CreateTarget,
  name: string,
  map: ShiftMap,
  missing: readonly string[],
): Promise<boolean> {
  const { agent, done } = startShift(target, name, map, missing);
  const patience = Promise.withResolvers<'later'>();
  const timer = setTimeout(() => patience.resolve('later'), PATIENCE_MS);
  // A failure: no room, or an owner outside the map. fuse-overlayfs copes with both.
  const finished = done.then(
    () => 'done' as const,
    () => 'failed' as const,
  );
  const result = await Promise.race([finished, patience.promise]);
  clearTimeout(timer);
  if (result === 'later') await agent.release();
  else await agent.close();
  return result === 'done';
}

async function shiftNow(
  target: CreateTarget,
  name: string,
  map: ShiftMap,
  missing: readonly string[],
): Promise<void> {
  const { agent, done } = startShift(target, name, map, missing);
  try {
    await done;
  } catch (error) {
    // Another command may have been faster.
    if (unshiftedLayers(target.directories, name, missing).length > 0) throw error;
  } finally {
    await agent.close();
  }
}

/** Before a start: shifted layers may have been pruned. */
export async function restoreShifted(target: CreateTarget, { spec }: Container): Promise<void> {
  const shifts = shiftsOf(spec);
  const [first] = shifts;
  if (first === undefined || spec.userns === undefined) return;
  const layers = shifts.map(({ hex }) => hex);
  const missing = unshiftedLayers(target.directories, first.name, layers);
  if (missing.length === 0) return;
  const map = mapOf(target, spec.userns);
  if (map === undefined || map === 'engine')
    throw new TsmanError(`the container of --userns ${spec.userns.mode} has another id map now`);
  await shiftNow(target, first.name, map, missing);
}

/** What puts a container's root together; a user namespace of its own is served by fuse-overlayfs or shifted layers. */
export function rootDriver({ driver, userns, shifted }: Container['spec']): StorageDriver {
  if (driver !== undefined) return driver;
  return userns === undefined || shifted !== undefined ? 'overlay' : 'fuse-overlayfs';
}

/** The view of an agent on a container's own files, where they have the owners of its map. */
export function ownerView(
  target: CreateTarget,
  { spec }: Container,
  below: string,
): OwnerView | undefined {
  if (spec.userns === undefined || (spec.shifted === undefined && spec.driver !== 'vfs'))
    return undefined;
  const map = mapOf(target, spec.userns);
  if (map === undefined || map === 'engine') return undefined;
  return { below, uids: map.uidMappings, gids: map.gidMappings };
}

/** Removes shifted layers that no container was made with. */
export async function pruneShifted(target: CreateTarget): Promise<void> {
  const used = new Set(
    listContainers(target.storage).flatMap(({ spec }) =>
      shiftsOf(spec).map(({ name, hex }) => `${name}/${hex}`),
    ),
  );
  const unused = listShiftedLayers(target.directories).filter(
    ({ name, hex }) => !used.has(`${name}/${hex}`),
  );
  await discardPaths(
    target,
    unused.map(({ path }) => path),
  );
  dropEmptyMaps(target.directories);
}
