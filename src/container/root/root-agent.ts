import { startTimeOf } from '../../base/process.ts';
import { FsAgent } from '../../helper/fs-agent.ts';
import { FsConnection } from '../../helper/fs-connection.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import { usernsRecords } from '../../rootless/id-map.ts';
import type { CreateTarget } from '../create.ts';
import { rootSteps } from '../plan.ts';
import { type Container, readConfig } from '../record.ts';
import { containerDirectory, readState, runDirectory } from '../state.ts';
import { ownerView } from './shifted-root.ts';

/**
 * A file agent on a container's root as its processes see it, volumes included. Of a running container
 * it is the root of its first process; of one that does not run, what a start would mount, in a mount
 * namespace that ends with the agent.
 */
export function openRootAgent(target: CreateTarget, container: Container): FsAgent {
  const state = readState(target.directories, container.id);
  const place: PlanRecord[] =
    state.pid === 0 ? mountSteps(target, container) : [['pin-process', state.pid, state.startTime]];
  return agentAt(target, container, place, state.pid === 0);
}

/**
 * A second agent on the same root. Of a container that does not run it works on what the first one has
 * mounted: two overlays of one upper directory would not see each other's files.
 */
export async function openSecondRootAgent(
  target: CreateTarget,
  container: Container,
  first: FsAgent,
): Promise<FsAgent> {
  await first.sync();
  if (readState(target.directories, container.id).pid !== 0)
    return openRootAgent(target, container);
  const place = [['pin-process', first.pid, startTimeOf(first.pid) ?? '0', 'cwd']] as const;
  return agentAt(target, container, place, true);
}

function agentAt(
  target: CreateTarget,
  container: Container,
  place: readonly PlanRecord[],
  isMounted: boolean,
): FsAgent {
  const { directories, userns } = target;
  const plan = [...usernsRecords(userns, directories.runRoot), ...place];
  // In the namespace of a running container its owners are what they are.
  const owners = isMounted ? ownerView(target, container, '') : undefined;
  return new FsAgent(new FsConnection(plan, directories.runRoot), owners);
}

function mountSteps(target: CreateTarget, container: Container): PlanRecord[] {
  const { directories } = target;
  return rootSteps(container, readConfig(target.storage, container.id), {
    directories,
    containerDirectory: containerDirectory(directories, container.id),
    runDirectory: runDirectory(directories, container.id),
    layersDirectory: `${directories.dataRoot}/layers`,
  });
}
