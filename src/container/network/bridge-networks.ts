import { randomHex } from '../../base/random.ts';
import { helperPath } from '../../helper/location.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import { writePlan } from '../../helper/run.ts';
import type { NetworkAttachment } from '../../network/attachment.ts';
import { attachRecords, hubRecords, publishRecords } from '../../network/bridge-plan.ts';
import { findNetwork, type Network } from '../../network/network.ts';
import type { Storage } from '../../storage/storage.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';
import { runDirectory } from '../state.ts';

/** A container's networks, each with what was asked of it. @throws TsmanError when one was removed */
export function networksOf(
  storage: Storage,
  container: Container,
): { network: Network; attachment: NetworkAttachment }[] {
  return (container.spec.networks ?? []).map((attachment) => ({
    network: findNetwork(storage, attachment.network),
    attachment,
  }));
}

/** Under which names other containers find this one: the first is also what its address is called. */
export function namesOf(container: Container, hostname: string | undefined): string[] {
  const names = [
    container.name,
    container.id.slice(0, 12),
    ...(hostname === undefined ? [] : [hostname]),
  ];
  return [...new Set(names)];
}

/**
 * The record that puts a container on its bridge networks when its namespaces exist: the helper's
 * verb `net`, which goes to the background as the container's network process.
 */
export function bridgeRecords(
  target: CreateTarget,
  container: Container,
  hostname: string | undefined,
): PlanRecord[] {
  if (container.spec.networkMode !== 'bridge') return [];
  const runDir = runDirectory(target.directories, container.id);
  // Removed by the helper; those of starts that failed early go with other old plans.
  const plan = `${runDir}/plan.net-${randomHex(4)}`;
  const names = namesOf(container, hostname);
  const leadsOut = networksOf(target.storage, container).some(({ network }) => !network.internal);
  writePlan(plan, [
    ...hubRecords({ ...target, containerID: container.id }, leadsOut),
    ['run-dir', runDir],
    ...placeRecords(target, container, names),
  ]);
  const pidFile = networkPidFile(target, container);
  // "/{netns}": a path of /proc also for real root, who would otherwise get a file of its own.
  return [['network-process', pidFile, helperPath(), 'net', plan, pidFile, '/{netns}', '{userns}']];
}

/** Names the process that serves all networks a container was started with. */
export function networkPidFile(target: CreateTarget, container: Container): string {
  return `${runDirectory(target.directories, container.id)}/net.pid`;
}

/** All networks of a container, and its published ports. */
export function placeRecords(
  target: CreateTarget,
  container: Container,
  names: readonly string[],
): PlanRecord[] {
  return [
    ...hostsRecords(target, container, names),
    ...networksOf(target.storage, container).flatMap(({ network, attachment }) =>
      attachRecords(network, attachment, names, container.spec.hosts.dnsServers),
    ),
    ...publishRecords(container.spec.ports),
  ];
}

/** The file that the container sees as /etc/hosts gets its addresses. */
export function hostsRecords(
  target: CreateTarget,
  { id, spec }: Container,
  names: readonly string[],
): PlanRecord[] {
  if (spec.hosts.noHosts) return [];
  return [['hosts', `${runDirectory(target.directories, id)}/hosts`, names.join(' ')]];
}

/** Where a plan for a running container is put. */
export function livePlanPath(target: CreateTarget, container: Container): string {
  const runDir = runDirectory(target.directories, container.id);
  return `${runDir}/net-${randomHex(6)}.plan`;
}
