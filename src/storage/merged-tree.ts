import { constants } from 'node:fs';
import type { FsAgent } from '../helper/fs-agent.ts';
import type { FsEntry } from '../helper/fs-protocol.ts';

/** A file of the merged view: what it is and which layer it is from. */
export interface MergedEntry {
  readonly entry: FsEntry;
  /** Below the data root, e.g. `layers/3f…`. */
  readonly layer: string;
}

/** Paths as latin1 text, one character for each byte: names need not be UTF-8. The root is ''. */
export type MergedTree = Map<string, MergedEntry>;

/**
 * What an overlay mount of these layers (uppermost first) would show. Worked out here, because a
 * stopped container has no mount and making one needs a mount namespace.
 */
export async function mergeLayers(agent: FsAgent, layers: readonly string[]): Promise<MergedTree> {
  const tree: MergedTree = new Map();
  // What hides lower layers: `all` = the path and what is below it, `below` = an opaque directory.
  const hiding = new Map<string, 'all' | 'below'>();
  for (const layer of layers) {
    const found = new Map<string, 'all' | 'below'>();
    let skipped: string | undefined;
    for await (const entry of agent.walk(layer)) {
      const path = entry.path.toString('latin1');
      if (skipped !== undefined && path.startsWith(skipped)) continue;
      skipped = undefined;
      const above = hiding.get(path);
      if (above !== undefined) skipped = `${path}/`;
      if (above === 'all') continue;
      if (isWhiteout(entry)) {
        found.set(path, 'all');
        continue;
      }
      if (!tree.has(path)) tree.set(path, { entry, layer });
      if (!isDirectory(entry)) found.set(path, 'all');
      else if (isOpaque(entry)) found.set(path, 'below');
    }
    for (const [path, how] of found) if (!hiding.has(path)) hiding.set(path, how);
  }
  return tree;
}

export function isDirectory({ mode }: Pick<FsEntry, 'mode'>): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFDIR;
}

/** overlayfs.rst, "whiteouts and opaque directories". */
export function isWhiteout({ mode, deviceMajor, deviceMinor }: FsEntry): boolean {
  return (mode & constants.S_IFMT) === constants.S_IFCHR && deviceMajor === 0 && deviceMinor === 0;
}

export function isOpaque({ xattrs }: FsEntry): boolean {
  return xattrs.some(
    ({ name, value }) =>
      /^(user|trusted)\.(overlay|fuseoverlayfs)\.opaque$/.test(name.toString()) &&
      value.toString() === 'y',
  );
}
