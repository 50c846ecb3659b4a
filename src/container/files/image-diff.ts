import type { FsAgent } from '../../helper/fs-agent.ts';
import type { FsEntry } from '../../helper/fs-protocol.ts';
import { digestHex } from '../../oci/digest.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import type { ImageRecord } from '../../storage/images.ts';
import { isDirectory, isOpaque, isWhiteout, mergeLayers } from '../../storage/merged-tree.ts';
import type { CreateTarget } from '../create.ts';
import type { Change } from './diff.ts';

/**
 * What an image changed against another one; without another, what its uppermost layer changed
 * against the ones below it.
 */
export async function diffImage(
  target: CreateTarget,
  image: ImageRecord,
  other: ImageRecord | undefined,
): Promise<Change[]> {
  const agent = openFsAgent(target, target.directories.dataRoot);
  try {
    const own = layersOf(image);
    if (other === undefined) return await diffUpper(agent, own);
    const [before, after] = [
      await mergeLayers(agent, layersOf(other)),
      await mergeLayers(agent, own),
    ];
    const changes: Change[] = [];
    for (const [path, { entry, layer }] of after) {
      const old = before.get(path);
      if (old === undefined) changes.push(change('A', path));
      else if (old.layer !== layer && isOther(old.entry, entry)) changes.push(change('C', path));
    }
    for (const path of before.keys()) if (!after.has(path)) changes.push(change('D', path));
    return changes.filter(({ path }) => path !== '/').sort(byPath);
  } finally {
    await agent.close();
  }
}

async function diffUpper(agent: FsAgent, layers: readonly string[]): Promise<Change[]> {
  const [upper, ...lower] = layers;
  const below = await mergeLayers(agent, lower);
  const changes = new Map<string, Change['kind']>();
  for await (const entry of upper === undefined ? [] : agent.walk(upper)) {
    const path = entry.path.toString('latin1');
    if (path === '') continue;
    if (isOpaque(entry) && isDirectory(entry))
      for (const hidden of below.keys())
        if (hidden.startsWith(`${path}/`)) changes.set(hidden, 'D');
    if (!isWhiteout(entry)) changes.set(path, below.has(path) ? 'C' : 'A');
    else if (below.has(path)) changes.set(path, 'D');
  }
  return [...changes].map(([path, kind]) => change(kind, path)).sort(byPath);
}

/** Hexadecimal diffIDs as directories below the data root, uppermost first. */
function layersOf(image: ImageRecord): string[] {
  return image.layers.map(({ diffID }) => `layers/${digestHex(diffID)}`).reverse();
}

function change(kind: Change['kind'], path: string): Change {
  return { kind, path: `/${Buffer.from(path, 'latin1').toString()}` };
}

function byPath(a: Change, b: Change): number {
  return a.path < b.path ? -1 : 1;
}

function isOther(before: FsEntry, after: FsEntry): boolean {
  return (
    before.mode !== after.mode ||
    before.uid !== after.uid ||
    before.gid !== after.gid ||
    (!isDirectory(after) &&
      (before.sizeBytes !== after.sizeBytes ||
        before.mtime.seconds !== after.mtime.seconds ||
        !before.linkTarget.equals(after.linkTarget)))
  );
}
