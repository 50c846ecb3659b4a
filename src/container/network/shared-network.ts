import { readIfExists } from '../../base/file.ts';
import type { CreateTarget } from '../create.ts';
import { type Container, findContainer } from '../record.ts';
import { runDirectory } from '../state.ts';
import { addHostLine } from './hosts-files.ts';

/**
 * With `--network container:NAME` names are the other container's as well: its addresses, its resolver.
 * @returns undefined with another network, or when the other does not run (which the start then says)
 */
export function sharedNetworkFiles(
  target: CreateTarget,
  { spec }: Container,
): { hosts: string; 'resolv.conf': string } | undefined {
  if (!spec.networkMode.startsWith('container:')) return undefined;
  const name = spec.networkMode.slice('container:'.length);
  const directory = runDirectory(target.directories, findContainer(target.storage, name).id);
  const hosts = readIfExists(`${directory}/hosts`);
  const resolvConf = readIfExists(`${directory}/resolv.conf`);
  if (hosts === undefined || resolvConf === undefined) return undefined;
  const host = /^(\S+) host\.containers\.internal/m.exec(hosts)?.[1];
  const own = spec.hosts.add.map((text) => `${addHostLine(text, host)}\n`);
  return { hosts: hosts + own.join(''), 'resolv.conf': resolvConf };
}
