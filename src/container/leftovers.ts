import * as fs from 'node:fs';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import type { CreateTarget } from './create.ts';
import { listContainers } from './record.ts';
import { isActive, readState } from './state.ts';

/** A directory is made a moment before its record; younger ones may be about to get theirs. */
const GRACE_MS = 10_000;

/** The IDs of container directories without a record: what a killed `create` or `rm` left. */
export function abandonedContainers(
  { storage, directories }: CreateTarget,
  now = Date.now(),
): string[] {
  const parent = `${directories.dataRoot}/containers`;
  if (!fs.existsSync(parent)) return [];
  const young = fs.readdirSync(parent).filter((name) => {
    const stat = fs.statSync(`${parent}/${name}`, { throwIfNoEntry: false });
    return stat === undefined || now - stat.mtimeMs < GRACE_MS;
  });
  // Read after the look at the clock: whoever was young then may have a record now.
  const known = new Set([...listContainers(storage).map(({ id }) => id), ...young]);
  return fs
    .readdirSync(parent)
    .filter((id) => !known.has(id) && !isActive(readState(directories, id)));
}

/** Removes them. */
export async function removeAbandonedContainers(target: CreateTarget): Promise<number> {
  const ids = abandonedContainers(target);
  if (ids.length === 0) return 0;
  const { directories } = target;
  const agent = openFsAgent(target, directories.dataRoot);
  try {
    for (const id of ids) agent.remove(`containers/${id}`);
    await agent.sync();
  } finally {
    await agent.close();
  }
  for (const id of ids)
    fs.rmSync(`${directories.runRoot}/containers/${id}`, { recursive: true, force: true });
  return ids.length;
}
