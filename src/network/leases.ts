import * as fs from 'node:fs';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { isAlive } from '../base/process.ts';
import type { Directories } from '../rootless/directories.ts';

/** What is shared by the user's networks: lock, hub, leases; native/networks.md. */
export function networksDirectory(directories: Directories): string {
  return `${directories.runRoot}/net`;
}

/** The process that has the shared namespace, while a container is on a network. */
export function livingHub(directories: Directories): { pid: string; start: string } | undefined {
  const [pid = '', start = ''] = wordsOf(directories, 'hub');
  return isAlive(Number(pid), start) ? { pid, start } : undefined;
}

/** Whether the hub lives and the up-link it had does not. */
export function uplinkDied(directories: Directories): boolean {
  const [pid = '', start = '', owner = ''] = wordsOf(directories, 'uplink');
  return livingHub(directories)?.pid === owner && !isAlive(Number(pid), start);
}

function wordsOf(directories: Directories, name: string): string[] {
  return (readIfExists(`${networksDirectory(directories)}/${name}`) ?? '').trim().split(' ');
}

/** A container's place in a network as it is now: what the helper wrote into its lease. */
export interface Lease {
  readonly containerID: string;
  readonly network: string;
  readonly interfaceName: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly names: readonly string[];
}

/** All leases; those of containers that ended a moment ago may still be among them. */
export function readLeases(directories: Directories): Lease[] {
  return leasePaths(directories).flatMap((path) => readLease(path) ?? []);
}

/** Some lease of a network: all of them are of the same subnets. Without a hub all are of the dead. */
export function someLease(directories: Directories, network: string): Lease | undefined {
  if (livingHub(directories) === undefined) return undefined;
  for (const path of leasePaths(directories)) {
    const lease = readLease(path);
    if (lease?.network === network) return lease;
  }
  return undefined;
}

const LEASE_MOST_BYTES = 3900; // the helper reads 4096

/**
 * Tells the hub whom to ask for names outside from now on. A line more, in one write: the last one
 * counts, and the lease stays the file that its owner has locked.
 * @param server undefined = the host's servers
 */
export function appendUpstream(
  directories: Directories,
  network: string,
  containerID: string,
  server: string | undefined,
): void {
  for (const path of leasePaths(directories)) {
    const lease = readLease(path);
    if (lease?.network !== network || lease.containerID !== containerID) continue;
    if (fs.statSync(path).size > LEASE_MOST_BYTES)
      throw new TsmanError(`network ${network}: its servers were changed too often`, {
        hint: `tsman restart ${containerID.slice(0, 12)} begins anew`,
      });
    fs.appendFileSync(path, `upstream ${server ?? '-'}\n`);
  }
}

function leasePaths(directories: Directories): string[] {
  const directory = `${networksDirectory(directories)}/leases`;
  try {
    return fs
      .readdirSync(directory)
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => `${directory}/${name}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

function readLease(path: string): Lease | undefined {
  let text: string;
  try {
    text = fs.readFileSync(path, 'utf8');
  } catch {
    return undefined; // Ended meanwhile.
  }
  const lines = text.split('\n').map((line) => line.split(' '));
  const all = (word: string): string[] =>
    lines.filter(([first]) => first === word).map(([, value = '']) => value);
  const one = (word: string): string => all(word)[0] ?? '';
  return {
    containerID: one('id'),
    network: one('network'),
    interfaceName: one('interface'),
    mac: one('mac'),
    addresses: all('address'),
    gateways: all('gateway'),
    names: all('name'),
  };
}
