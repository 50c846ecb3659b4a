import * as fs from 'node:fs';
import { hasCode, isNoRoom, TsmanError } from '../base/error.ts';
import { deleteContainerRow } from '../storage/containers.ts';
import { moveToTrash, removeTree, trashPath } from '../storage/trash.ts';
import { anonymousVolumesOf, deleteVolumeRows, volumeDirectory } from '../storage/volumes.ts';
import { thaw } from './cgroup/freezer.ts';
import type { CreateTarget } from './create.ts';
import { recordEvent, recordObjectEvent } from './events/events.ts';
import type { Container } from './record.ts';
import {
  type ContainerState,
  containerDirectory,
  isActive,
  readState,
  runDirectory,
} from './state.ts';
import { endRest, killAndWait } from './stop.ts';
import { endUnseenStart } from './unseen-start.ts';
import { noteStopped } from './wanted.ts';

/** Podman's code of `rm` for a container that runs. */
const EXIT_RUNS = 2;

/**
 * Removes a container: the record goes first (from then on nobody sees it), then its directory is
 * renamed into the trash, then deleted. A death in between leaves only trash.
 * @throws TsmanError when it runs and `force` is not given
 */
export async function removeContainer(
  target: CreateTarget,
  container: Container,
  options: { force: boolean; volumes?: boolean },
): Promise<void> {
  const state = readState(target.directories, container.id);
  if (isActive(state)) {
    if (!options.force) {
      throw new TsmanError(`container ${container.name} is ${state.status}`, {
        hint: `stop it first, or remove it with tsman rm -f ${container.name}`,
        exitCode: EXIT_RUNS,
      });
    }
    await endProcesses(target, container, state);
  }
  const volumes = anonymousVolumesOf(target.storage, container.id);
  await deleteRecord(target, container.id);
  await leaveVolumes(target, container, volumes, options.volumes === true);
  const trash = trashPath(target.directories, container.id);
  const isThere = renameIfThere(containerDirectory(target.directories, container.id), trash);
  // The monitor of a --rm container has told already.
  if (isThere || !container.autoRemove) recordEvent(target.storage, 'remove', container);
  await endUnseenStart(target.directories, container.id);
  fs.rmSync(runDirectory(target.directories, container.id), { recursive: true, force: true });
  if (isThere) await removeTree(target, trash);
}

/** On a full disk the container's files go first: they may be what fills it, and the record needs room to go. */
async function deleteRecord(target: CreateTarget, id: string): Promise<void> {
  try {
    deleteContainerRow(target.storage, id);
  } catch (error) {
    if (!isNoRoom(error)) throw error;
    await removeTree(
      target,
      moveToTrash(target.directories, containerDirectory(target.directories, id), id),
    );
    deleteContainerRow(target.storage, id);
  }
}

/** False when it is gone: the monitor of a --rm container was faster, or a command before us died here. */
function renameIfThere(from: string, to: string): boolean {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** Anonymous volumes that nobody else has go with `rm -v`, and with every `--rm` container. */
async function leaveVolumes(
  target: CreateTarget,
  container: Container,
  names: readonly string[],
  wanted: boolean,
): Promise<void> {
  const { directories, storage } = target;
  for (const name of names)
    fs.rmSync(`${volumeDirectory(directories, name)}/users/${container.id}`, { force: true });
  if (!wanted && !container.autoRemove) return;
  for (const name of deleteVolumeRows(storage, names)) {
    await removeTree(target, moveToTrash(directories, volumeDirectory(directories, name), name));
    recordObjectEvent(storage, 'volume', 'remove', { id: name, name });
  }
}

async function endProcesses(
  target: CreateTarget,
  container: Container,
  state: ContainerState,
): Promise<void> {
  noteStopped(target.directories, container, 'stopped', false);
  thaw(container, state);
  if (await endRest(target, container, state)) return;
  await killAndWait(target, container);
}
