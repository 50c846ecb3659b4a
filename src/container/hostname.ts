import { readFileSync } from 'node:fs';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { Storage } from '../storage/storage.ts';
import type { CreateRequest } from './create-types.ts';
import { findContainer, readConfig } from './record.ts';

/** What a new container's own UTS namespace is called; undefined = it has none. */
export function ownHostname(
  id: string,
  { hostname, namespaces }: Pick<CreateRequest, 'hostname' | 'namespaces'>,
): string | undefined {
  if (namespaces.uts !== 'private') return undefined;
  // On the host's network it answers to the host's name, as with Docker and Podman.
  return hostname ?? (namespaces.network === 'host' ? nameOfHost() : id.slice(0, 12));
}

/** The name in a UTS namespace that is not the container's own: `host`, `container:NAME`; of `ns:PATH` it is not known. */
export function sharedHostname(storage: Storage, mode: string): string | undefined {
  if (mode === 'host') return nameOfHost();
  if (!mode.startsWith('container:')) return undefined;
  const other = findContainer(storage, mode.slice('container:'.length));
  return hostnameOf(storage, readConfig(storage, other.id));
}

/** The host name that a container sees. */
export function hostnameOf(storage: Storage, config: RuntimeConfig): string | undefined {
  if (config.hostname !== undefined) return config.hostname;
  const uts = config.linux.namespaces.find(({ type }) => type === 'uts');
  return sharedHostname(storage, uts === undefined ? 'host' : (uts.path ?? ''));
}

function nameOfHost(): string {
  return readFileSync('/proc/sys/kernel/hostname', 'utf8').trim();
}
