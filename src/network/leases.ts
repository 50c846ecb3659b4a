import * as fs from 'node:fs';
import { hasCode } from '../base/error.ts';
import type { Directories } from '../rootless/directories.ts';

/** What is shared by the user's networks: lock, hub, leases; native/networks.md. */
export function networksDirectory(directories: Directories): string {
  return `${directories.runRoot}/net`;
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

/** Some lease of a network: all of them are of the same subnets. */
export function someLease(directories: Directories, network: string): Lease | undefined {
  for (const path of leasePaths(directories)) {
    const lease = readLease(path);
    if (lease?.network === network) return lease;
  }
  return undefined;
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
