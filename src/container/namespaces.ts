import { UsageError } from '../base/error.ts';
import { isNetworkName } from '../network/attachment.ts';
import type { NetworkMode } from '../network/mode.ts';
import { checkSlirp } from '../network/slirp4netns.ts';
import type { NamespaceType } from '../oci/runtime-config.ts';

/** How a namespace is chosen: an own one, the host's, or that of another container or path. */
export type NamespaceMode = 'private' | 'host' | `container:${string}` | `ns:${string}`;

/** Parses `--pid`, `--ipc`, `--uts`, `--cgroupns`. @throws UsageError */
export function parseNamespaceMode(option: string, value: string | undefined): NamespaceMode {
  if (value === undefined || value === '' || value === 'private' || value === 'shareable')
    return 'private';
  if (value === 'host' || value.startsWith('container:') || value.startsWith('ns:'))
    return value as NamespaceMode;
  throw new UsageError(`option ${option}: unknown mode ${JSON.stringify(value)}`, {
    hint: 'modes are private, host, container:NAME and ns:PATH',
  });
}

/** Parses `--network`. @throws UsageError */
export function parseNetworkMode(values: readonly string[]): NetworkMode {
  if (values.every(isNetworkName)) return 'bridge';
  if (values.length > 1)
    throw new UsageError('option --network: only networks can be given together, no modes');
  const value = values[0] ?? '';
  if (value === 'pasta') return 'private';
  if (value === 'host' || value === 'none') return value;
  if (value.startsWith('container:') || value.startsWith('ns:') || value.startsWith('pasta:'))
    return value as NetworkMode;
  if (value === 'slirp4netns' || value.startsWith('slirp4netns:')) {
    checkSlirp(value);
    return value as NetworkMode;
  }
  throw new UsageError(`option --network: no mode ${JSON.stringify(value)}`, {
    hint: 'modes are default, host, none, container:NAME, ns:PATH, pasta[:OPTIONS] and slirp4netns[:OPTIONS], or the name of a network',
  });
}

export interface NamespaceModes {
  readonly pid: NamespaceMode;
  readonly ipc: NamespaceMode;
  readonly uts: NamespaceMode;
  readonly cgroup: NamespaceMode;
  readonly network: NetworkMode;
}

/** The OCI list: a type without path is a new namespace, one that is absent is the host's. */
export function namespaceList(modes: NamespaceModes): { type: NamespaceType; path?: string }[] {
  const list: { type: NamespaceType; path?: string }[] = [{ type: 'mount' }];
  const add = (type: NamespaceType, mode: string): void => {
    if (mode === 'host') return;
    // `container:ID` has a path only while that container runs: it is looked up at every start.
    if (mode.startsWith('container:')) list.push({ type, path: mode });
    else if (mode.startsWith('ns:')) list.push({ type, path: mode.slice(3) });
    else list.push({ type });
  };
  add('pid', modes.pid);
  add('ipc', modes.ipc);
  add('uts', modes.uts);
  add('cgroup', modes.cgroup);
  add('network', modes.network);
  return list;
}
