import { type Lease, readLeases } from '../../network/leases.ts';
import { findNetwork } from '../../network/network.ts';
import { containerPortName } from '../../network/ports.ts';
import { privateAddresses } from '../../network/private-addresses.ts';
import { isSlirp, slirpAddresses } from '../../network/slirp4netns.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';
import type { ContainerState } from '../state.ts';

type Bindings = Record<string, { HostIp: string; HostPort: string }[] | null>;

/** `{"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}`; exposed ports that are not published map to null. */
export function portBindings(container: Container): Bindings {
  const bindings: Bindings = {};
  for (const name of container.spec.exposedPorts)
    bindings[name.includes('/') ? name : `${name}/tcp`] = null;
  for (const port of container.spec.ports) {
    for (let offset = 0; offset < port.range; offset++) {
      const name = containerPortName(port, offset);
      const list = bindings[name] ?? [];
      bindings[name] = [...list, { HostIp: port.hostIP, HostPort: String(port.hostPort + offset) }];
    }
  }
  return bindings;
}

/** `NetworkSettings`: what is really there, so nothing but ports while the container does not run. */
export function networkSettings(
  target: Pick<CreateTarget, 'storage' | 'directories'>,
  container: Container,
  state: ContainerState,
): Record<string, unknown> {
  const leases = state.pid === 0 ? [] : leasesOf(target, container);
  const first = leases[0];
  return {
    ...(first === undefined ? defaultEndpoint(container, state) : endpoint(first)),
    Bridge: '',
    SandboxID: '',
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    Ports: portBindings(container),
    SandboxKey: state.pid === 0 ? '' : `/proc/${state.pid}/ns/net`,
    Networks: networks(target, container, leases),
  };
}

function leasesOf(
  target: Pick<CreateTarget, 'directories'>,
  container: Container,
): readonly Lease[] {
  if (container.spec.networkMode !== 'bridge') return [];
  return readLeases(target.directories).filter((lease) => lease.containerID === container.id);
}

function networks(
  target: Pick<CreateTarget, 'storage'>,
  container: Container,
  leases: readonly Lease[],
): Record<string, unknown> {
  const entries = (container.spec.networks ?? []).map(({ network, aliases }) => {
    const lease = leases.find((one) => one.network === network);
    const id = leases.length > 0 ? networkID(target, network) : network;
    return [
      network,
      {
        ...endpoint(lease),
        NetworkID: id,
        DriverOpts: null,
        IPAMConfig: null,
        Links: null,
        Aliases: [...new Set([...(lease?.names ?? []), ...aliases])],
      },
    ];
  });
  return Object.fromEntries(entries);
}

function networkID(target: Pick<CreateTarget, 'storage'>, name: string): string {
  try {
    return findNetwork(target.storage, name).id;
  } catch {
    return name; // Removed by force meanwhile.
  }
}

function endpoint(lease: Lease | undefined): Record<string, unknown> {
  const find = (list: readonly string[] | undefined, v6: boolean): string =>
    list?.find((text) => text.includes(':') === v6) ?? '';
  const [ip = '', prefix = '0'] = find(lease?.addresses, false).split('/');
  const [ip6 = '', prefix6 = '0'] = find(lease?.addresses, true).split('/');
  return {
    EndpointID: '',
    Gateway: find(lease?.gateways, false),
    IPAddress: ip,
    IPPrefixLen: Number(prefix || 0),
    IPv6Gateway: find(lease?.gateways, true),
    GlobalIPv6Address: ip6,
    GlobalIPv6PrefixLen: Number(prefix6 || 0),
    MacAddress: lease?.mac ?? '',
  };
}

function defaultEndpoint(container: Container, state: ContainerState): Record<string, unknown> {
  const { networkMode } = container.spec;
  if (state.pid === 0 || (networkMode !== 'private' && !isSlirp(networkMode)))
    return endpoint(undefined);
  const { guest, gateway, prefix } = isSlirp(networkMode)
    ? slirpAddresses(networkMode)
    : privateAddresses();
  return { ...endpoint(undefined), Gateway: gateway, IPAddress: guest, IPPrefixLen: prefix };
}
