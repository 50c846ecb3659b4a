import { readdirSync } from 'node:fs';
import { hasCode } from '../../base/error.ts';
import { readIfExists } from '../../base/file.ts';
import { currentBootID, isAlive } from '../../base/process.ts';
import { sleep } from '../../base/sleep.ts';
import type { Directories } from '../../rootless/directories.ts';
import { parseFields, readState, runDirectory } from '../state.ts';

const PATIENCE_MS = 2_000;

/**
 * Ends the network processes of containers that run no more: a monitor that was killed could not
 * end its own, and its ports would stay taken.
 */
export async function endNetworkOrphans(directories: Directories): Promise<void> {
  const orphans = containerIDs(directories).flatMap((id) => orphanOf(directories, id) ?? []);
  for (const { pid } of orphans) terminate(pid);
  const deadline = performance.now() + PATIENCE_MS;
  while (orphans.some(({ pid, start }) => isAlive(pid, start)) && performance.now() < deadline)
    await sleep(5);
}

function containerIDs(directories: Directories): string[] {
  try {
    return readdirSync(`${directories.runRoot}/containers`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function orphanOf(
  directories: Directories,
  id: string,
): { pid: number; start: string } | undefined {
  const fields = parseFields(readIfExists(`${runDirectory(directories, id)}/state`));
  const pid = Number(fields?.get('network') ?? 0);
  const start = fields?.get('network-start') ?? '';
  if (fields?.get('boot') !== currentBootID() || !isAlive(pid, start)) return undefined;
  const { status } = readState(directories, id);
  return status === 'exited' || status === 'created' ? { pid, start } : undefined;
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}
