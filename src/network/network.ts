import { TsmanError } from '../base/error.ts';
import { deleteNetworkRow, listNetworkRows, updateNetworkRow } from '../storage/networks.ts';
import type { Storage } from '../storage/storage.ts';
import { DEFAULT_NETWORK_NAME } from './constants.ts';
import { defaultSubnets } from './default-subnets.ts';

/** A range of addresses of a network. */
export interface NetworkSubnet {
  readonly subnet: string;
  readonly gateway?: string;
  readonly lease_range?: { readonly start_ip?: string; readonly end_ip?: string };
}

export interface NetworkRoute {
  readonly destination: string;
  readonly gateway: string;
  readonly metric?: number;
}

/** A network as it is stored, and as `podman network inspect` shows one. Add, never rename. */
export interface Network {
  readonly name: string;
  readonly id: string;
  readonly driver: string;
  readonly network_interface: string;
  readonly created: string;
  readonly subnets: readonly NetworkSubnet[];
  readonly ipv6_enabled: boolean;
  readonly internal: boolean;
  readonly dns_enabled: boolean;
  readonly network_dns_servers?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly options?: Readonly<Record<string, string>>;
  readonly routes?: readonly NetworkRoute[];
  readonly ipam_options: Readonly<Record<string, string>>;
}

const DEFAULT_NAMES: ReadonlySet<string> = new Set([
  DEFAULT_NETWORK_NAME,
  'bridge',
  'default',
  'private',
]);

/** Whether `text` is one of the default network's names. */
export function isDefaultName(text: string): boolean {
  return DEFAULT_NAMES.has(text);
}

/** The default network: always there, with addresses chosen when they are needed. */
function defaultNetwork(storage: Storage, own: readonly Network[]): Network {
  const subnets = defaultSubnets(storage.directories, own);
  return {
    name: DEFAULT_NETWORK_NAME,
    id: '2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9',
    driver: 'bridge',
    network_interface: 'podman0',
    created: '1970-01-01T00:00:00Z',
    subnets,
    ipv6_enabled: subnets.length > 1,
    internal: false,
    dns_enabled: false,
    ipam_options: { driver: 'host-local' },
  };
}

/** The user's own networks, by name. */
export function ownNetworks(storage: Storage): Network[] {
  return listNetworkRows(storage).map(({ record }) => JSON.parse(record) as Network);
}

/** All networks: the default one and the user's own. */
export function listNetworks(storage: Storage): Network[] {
  const own = ownNetworks(storage);
  return [defaultNetwork(storage, own), ...own];
}

/** The network of this name or (the beginning of an) ID. @throws TsmanError */
export function findNetwork(storage: Storage, text: string): Network {
  const all = listNetworks(storage);
  const wanted = isDefaultName(text) ? DEFAULT_NETWORK_NAME : text;
  const exact = all.find(({ name }) => name === wanted);
  if (exact !== undefined) return exact;
  const found = text === '' ? [] : all.filter(({ id }) => id.startsWith(text));
  const [first] = found;
  if (first === undefined)
    throw new TsmanError(`no network with name or ID ${JSON.stringify(text)}`, {
      hint: `tsman network ls lists them, tsman network create ${text} makes one`,
    });
  if (found.length > 1)
    throw new TsmanError(`network ${text} is ambiguous: several IDs begin with it`);
  return first;
}

/** @throws TsmanError for the default network */
export function findOwnNetwork(storage: Storage, text: string, what: string): Network {
  const network = findNetwork(storage, text);
  if (network.name !== DEFAULT_NETWORK_NAME) return network;
  throw new TsmanError(`cannot ${what} the default network: it is always there, as it is`, {
    hint: 'make a network with tsman network create NAME',
  });
}

export function deleteNetwork(storage: Storage, network: Network): void {
  deleteNetworkRow(storage, network.id);
}

export function updateNetwork(storage: Storage, network: Network): void {
  updateNetworkRow(storage, network.id, JSON.stringify(network));
}
