import { TsmanError } from '../../base/error.ts';
import { readLeases } from '../../network/leases.ts';
import { deleteNetwork, type Network } from '../../network/network.ts';
import type { CreateTarget } from '../create.ts';
import { isGone } from '../existing.ts';
import { type Container, listContainers } from '../record.ts';
import { removeContainer } from '../remove.ts';
import { readState } from '../state.ts';

/** The containers that name a network, running or not. */
export function membersOf(target: CreateTarget, network: Network): Container[] {
  return listContainers(target.storage).filter(
    (container) =>
      !isGone(target, container) &&
      (container.spec.networks ?? []).some((other) => other.network === network.name),
  );
}

/** Removes a network; with `force` its containers, too. @throws TsmanError */
export async function removeNetwork(
  target: CreateTarget,
  network: Network,
  options: { force: boolean },
): Promise<void> {
  const members = membersOf(target, network);
  const [first] = members;
  if (first !== undefined && !options.force)
    throw new TsmanError(`network ${network.name} is used by container ${first.name}`, {
      hint: `remove it with the network: tsman network rm -f ${network.name}`,
    });
  for (const container of members) await removeContainer(target, container, { force: true });
  deleteNetwork(target.storage, network);
}

/** A network as `network inspect` shows it: the record, and who is really there. */
export function describeNetwork(target: CreateTarget, network: Network): Record<string, unknown> {
  const leases = readLeases(target.directories).filter((lease) => lease.network === network.name);
  const running = membersOf(target, network).filter(
    ({ id }) => readState(target.directories, id).pid !== 0,
  );
  const containers = running.map((container) => {
    const lease = leases.find(({ containerID }) => containerID === container.id);
    const subnets = (lease?.addresses ?? []).map((address) => {
      const isV6 = address.includes(':');
      const gateway = lease?.gateways.find((text) => text.includes(':') === isV6);
      return { ipnet: address, ...(gateway === undefined ? {} : { gateway }) };
    });
    const interfaces =
      lease === undefined ? {} : { [lease.interfaceName]: { subnets, mac_address: lease.mac } };
    return [container.id, { name: container.name, interfaces }];
  });
  return { ...network, containers: Object.fromEntries(containers) };
}
