import * as fs from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../base/error.ts';
import type { RuntimeConfig } from '../oci/runtime-config.ts';
import type { CreateTarget } from './create-types.ts';
import { hostnameOf } from './hostname.ts';
import { networksOf } from './network/bridge-networks.ts';
import { defaultAddresses, hostsFile, resolvConf } from './network/hosts-files.ts';
import { sharedNetworkFiles } from './network/shared-network.ts';
import type { Container } from './record.ts';
import { containerDirectory } from './state.ts';

/** /etc/hosts and its like, and the marker by which a container in any container engine is known. */
export async function writeRunFiles(
  target: CreateTarget,
  container: Container,
  config: RuntimeConfig,
  runDir: string,
): Promise<void> {
  const networks = networksOf(target.storage, container).map(({ network }) => network);
  const files = {
    hosts: hostsFile(container, config.hostname, defaultAddresses(container)),
    'resolv.conf': resolvConf(container, networks),
    ...sharedNetworkFiles(target, container),
    hostname: `${hostnameOf(target.storage, config) ?? ''}\n`,
    containerenv: '',
  };
  for (const [name, content] of Object.entries(files)) writeOver(join(runDir, name), content);
  if (container.spec.userns !== undefined)
    await giveFiles(target, container, runDir, Object.keys(files));
}

/** In a user namespace of its own the file has become the container's root's: then it is made anew. */
function writeOver(path: string, content: string): void {
  const mode = 0o644;
  try {
    fs.writeFileSync(path, content, { mode });
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error;
    fs.rmSync(path);
    fs.writeFileSync(path, content, { mode });
  }
}

/** Loaded only for those who have a user namespace of their own. */
async function giveFiles(
  target: CreateTarget,
  container: Container,
  runDir: string,
  files: readonly string[],
): Promise<void> {
  const { giveFiles } = await import('./mounts/prepare-volumes.ts');
  const directory = containerDirectory(target.directories, container.id);
  await giveFiles(target, container, runDir, files);
  await giveFiles(target, container, directory, container.spec.userFiles ?? []);
}
