import { FsAgent } from '../helper/fs-agent.ts';
import { FsConnection } from '../helper/fs-connection.ts';
import type { OwnerView } from '../helper/fs-owners.ts';
import type { Directories } from './directories.ts';
import { type EngineUserns, usernsRecords } from './id-map.ts';

export interface RootfsAgentTarget {
  readonly userns: EngineUserns;
  readonly directories: Directories;
}

/**
 * Starts a rootfs agent on one directory, in the engine's user namespace. Whether it could start is
 * known at the first `sync`.
 * @param owners a tree in it that has the owners of a container's own id map
 */
export function openFsAgent(
  { userns, directories: { runRoot } }: RootfsAgentTarget,
  pinnedDirectory: string,
  owners?: OwnerView,
): FsAgent {
  const plan = [...usernsRecords(userns, runRoot), ['pin', pinnedDirectory] as const];
  return new FsAgent(new FsConnection(plan, runRoot), owners);
}
