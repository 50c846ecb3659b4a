import * as fs from 'node:fs';
import { TsmanError, UsageError } from '../../base/error.ts';
import { randomHex } from '../../base/random.ts';
import type { Storage } from '../../storage/storage.ts';
import { moveToTrash, removeTree } from '../../storage/trash.ts';
import {
  deleteVolumeRow,
  insertVolume,
  type Volume,
  volumeByName,
  volumeData,
  volumeDirectory,
  volumeMarker,
  volumeUsers,
} from '../../storage/volumes.ts';
import type { CreateTarget } from '../create.ts';
import { recordObjectEvent } from '../events/events.ts';
import { findContainer } from '../record.ts';
import { checkVolumeOptions, ownerOption, volumeType } from './volume-options.ts';

export interface NewVolume {
  readonly name: string;
  readonly isAnonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** @throws UsageError */
export function checkVolumeName(name: string): void {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(name) || name.length > 255)
    throw new UsageError(
      `invalid volume name ${JSON.stringify(name)}: want letters, digits, "_", "." and "-", beginning with a letter or digit`,
      { hint: 'a host path begins with / or ./' },
    );
}

/** A volume for one container. */
export function anonymousVolume(): NewVolume {
  const name = randomHex(32);
  return { name, isAnonymous: true, labels: {}, options: {} };
}

/**
 * Makes a volume: its directory first, the record last. A death in between leaves a directory that
 * the next volume of the name takes over when it is empty.
 * @returns false when a volume of the name exists
 */
export async function createVolume(target: CreateTarget, volume: NewVolume): Promise<boolean> {
  checkVolumeName(volume.name);
  checkVolumeOptions(volume.options);
  const { directories } = target;
  if (volumeByName(target.storage, volume.name) !== undefined) return false;
  const data = volumeData(directories, volume.name);
  fs.mkdirSync(`${directories.dataRoot}/volumes`, { recursive: true, mode: 0o700 });
  fs.mkdirSync(data, { recursive: true, mode: 0o755 });
  if (volume.isAnonymous) fs.mkdirSync(`${volumeDirectory(directories, volume.name)}/users`);
  if (volumeType(volume.options) === 'local') await prepareData(target, volume, data);
  const isNew = insertVolume(target.storage, { ...volume, createdAt: new Date().toISOString() });
  if (isNew) recordObjectEvent(target.storage, 'volume', 'create', { ...volume, id: volume.name });
  return isNew;
}

/** What was asked for as owner is final; else the first container's image decides. */
async function prepareData(target: CreateTarget, volume: NewVolume, data: string): Promise<void> {
  const owner = ownerOption(volume.options);
  const marker = volumeMarker(target.directories, volume.name);
  if (owner === undefined) {
    fs.writeFileSync(marker, '', { mode: 0o600 });
    return;
  }
  const { openFsAgent } = await import('../../rootless/rootfs-agent.ts');
  const agent = openFsAgent(target, data);
  try {
    agent.set('', { owner });
    await agent.sync();
  } finally {
    await agent.close();
  }
}

/**
 * Removes a volume: the record first, then the data is renamed into the trash and deleted.
 * @param force remove the containers that have it, too
 * @throws TsmanError when a container has it
 */
export async function removeVolume(
  target: CreateTarget,
  volume: Volume,
  options: { force: boolean },
): Promise<void> {
  const users = volumeUsers(target.storage, volume.name);
  if (users.length > 0 && !options.force) {
    const shown = users.map((id) => id.slice(0, 12));
    throw new TsmanError(`volume ${volume.name} is used by container ${shown.join(', ')}`, {
      hint: `remove it first: tsman rm ${shown.join(' ')}; or both: tsman volume rm -f ${volume.name}`,
    });
  }
  await removeUsers(target, users);
  if (!deleteVolumeRow(target.storage, volume.name)) {
    // An anonymous one went with its container.
    if (volumeByName(target.storage, volume.name) === undefined) return;
    throw new TsmanError(`volume ${volume.name} is used by a container that was just made`);
  }
  await discardVolumeData(target, volume.name);
  recordObjectEvent(target.storage, 'volume', 'remove', { ...volume, id: volume.name });
}

async function removeUsers(target: CreateTarget, users: readonly string[]): Promise<void> {
  // Its own module imports volumes; and who only makes one does not load it.
  const { removeContainer } = await import('../remove.ts');
  for (const id of users)
    await removeContainer(target, findContainer(target.storage, id), { force: true });
}

/** Deletes the data of a volume whose record is gone. */
export async function discardVolumeData(
  target: Pick<CreateTarget, 'directories' | 'userns'>,
  name: string,
): Promise<void> {
  const { directories } = target;
  await removeTree(target, moveToTrash(directories, volumeDirectory(directories, name), name));
}

/** A volume as `volume inspect` prints it: Podman's field names. */
export function describeVolume(storage: Storage, volume: Volume): Record<string, unknown> {
  const owner = ownerOption(volume.options);
  return {
    Name: volume.name,
    Driver: 'local',
    Mountpoint: volumeData(storage.directories, volume.name),
    CreatedAt: volume.createdAt,
    Labels: volume.labels,
    Scope: 'local',
    Options: volume.options,
    ...(owner === undefined ? {} : { UID: owner.uid, GID: owner.gid }),
    ...(volume.isAnonymous ? { Anonymous: true } : {}),
    MountCount: volumeUsers(storage, volume.name).length,
    NeedsCopyUp: fs.existsSync(volumeMarker(storage.directories, volume.name)),
    LockNumber: 0,
  };
}
