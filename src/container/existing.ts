import { existsSync } from 'node:fs';
import type { CreateTarget } from './create.ts';
import { type Container, listContainers } from './record.ts';
import { containerDirectory } from './state.ts';

/** Containers that still exist, oldest first; the rows of `--rm` ones that are gone do not count. */
export function existingContainers(
  target: Pick<CreateTarget, 'storage' | 'directories'>,
): Container[] {
  return listContainers(target.storage).filter((container) => !isGone(target, container));
}

/**
 * True when nothing is left of a `--rm` container but its row: its monitor removed the rest. Whoever
 * notices deletes the row; until then it must count as absent.
 */
export function isGone(
  target: Pick<CreateTarget, 'directories'>,
  container: Pick<Container, 'id' | 'autoRemove'>,
): boolean {
  return container.autoRemove && !existsSync(containerDirectory(target.directories, container.id));
}
