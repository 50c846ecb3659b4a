import { nodeChildProcess } from '../base/late-modules.ts';
import { randomHex } from '../base/random.ts';
import { helperPath } from '../helper/location.ts';
import { writePlan } from '../helper/run.ts';
import type { Directories } from '../rootless/directories.ts';
import type { EngineUserns } from '../rootless/id-map.ts';
import type { NetworkAttachment } from './attachment.ts';
import { hubRecords } from './bridge-plan.ts';
import { DEFAULT_NETWORK_NAME } from './constants.ts';
import { livingHub, networksDirectory } from './leases.ts';

/**
 * Makes the shared network namespace and its up-link beside the rest of a start, of which pasta would
 * otherwise be the longest part. Whoever needs it waits for it, or makes it himself if this failed; with
 * nobody coming it ends after a second (native/networks.md).
 */
export function makeHubEarly(target: { directories: Directories; userns: EngineUserns }): void {
  if (livingHub(target.directories) !== undefined) return;
  const directory = networksDirectory(target.directories);
  const records = hubRecords({ ...target, containerID: 'hub' }, true);
  const plan = `${directory}/hub-${randomHex(4)}.plan`;
  writePlan(plan, records);
  const child = nodeChildProcess().spawn(helperPath(), ['hub', plan], {
    stdio: 'ignore',
    detached: true,
  });
  child.on('error', () => {
    // The start that follows has the same helper to run, and says what is wrong with it.
  });
  child.unref();
}

/** The same for a container that is made already: other networks may be internal, and need no way out. */
export function makeHubEarlyFor(
  target: { directories: Directories; userns: EngineUserns },
  networks: readonly NetworkAttachment[] = [],
): void {
  if (networks.some(({ network }) => network === DEFAULT_NETWORK_NAME)) makeHubEarly(target);
}
