import type { FsEntry } from '../../helper/fs-protocol.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import type { CreateTarget } from '../create.ts';
import { type Container, readConfig } from '../record.ts';
import {
  isDirectory,
  isOpaque,
  isWhiteout,
  lowerLayers,
  type MergedTree,
  mergeLayers,
  upperLayer,
} from '../root/merged-tree.ts';
import { ownerView, rootDriver } from '../root/shifted-root.ts';
import { vfsRoot, vfsSources } from '../root/vfs-root.ts';
import { stubPaths } from '../stubs.ts';

export interface Change {
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute, as the container sees it. */
  readonly path: string;
}

/** What a container changed against its image, sorted by path: the upper layer of its overlay, read. */
export async function diffContainer(target: CreateTarget, container: Container): Promise<Change[]> {
  if (container.spec.rootfs !== undefined) return [];
  if (container.spec.driver === 'vfs') return await diffVfs(target, container);
  const agent = openFsAgent(target, target.directories.dataRoot);
  try {
    const lower = await mergeLayers(agent, lowerLayers(container));
    const changes = new Map<string, Change['kind']>();
    for await (const entry of agent.walk(upperLayer(container))) {
      const path = entry.path.toString('latin1');
      if (path === '') continue;
      // fuse-overlayfs has them where it may not make devices, and beside opaque directories.
      const mark = /^(?:(.*)\/)?\.wh\.([^/]+)$/s.exec(path);
      if (mark !== null && rootDriver(container.spec) === 'fuse-overlayfs') {
        const [, parent = '', name] = mark;
        if (name === '.wh..opq' || name === '.opq') addHidden(parent, lower, changes);
        else changes.set(parent === '' ? `${name}` : `${parent}/${name}`, 'D');
        continue;
      }
      if (isWhiteout(entry)) {
        if (lower.has(path)) changes.set(path, 'D');
      } else changes.set(path, lower.has(path) ? 'C' : 'A');
      if (isOpaque(entry)) addHidden(path, lower, changes);
    }
    hideOurs(target, container, changes, lower);
    return [...changes]
      .filter(([path, kind]) => kind !== 'D' || changes.get(parentOf(path)) !== 'D')
      .map(([path, kind]) => ({ kind, path: `/${Buffer.from(path, 'latin1').toString()}` }))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    await agent.close();
  }
}

async function diffVfs(target: CreateTarget, container: Container): Promise<Change[]> {
  const view = ownerView(target, container, vfsRoot(container));
  const agent = openFsAgent(target, target.directories.dataRoot, view);
  try {
    const lower = await mergeLayers(agent, lowerLayers(container));
    const stubs = stubPaths(readConfig(target.storage, container.id), container);
    return (await vfsSources(agent, container, stubs)).map(({ kind, path }) => ({
      kind: kind === 'whiteout' ? 'D' : lower.has(path) ? 'C' : 'A',
      path: `/${Buffer.from(path, 'latin1').toString()}`,
    }));
  } finally {
    await agent.close();
  }
}

/** Everything below an opaque directory that the walk does not find again is gone. */
function addHidden(
  directory: string,
  lower: MergedTree,
  changes: Map<string, Change['kind']>,
): void {
  for (const path of lower.keys()) if (path.startsWith(`${directory}/`)) changes.set(path, 'D');
}

/**
 * Takes out the mount points that we made ourselves, and the directories that are there, or have
 * another time, only because of them.
 */
function hideOurs(
  target: CreateTarget,
  container: Container,
  changes: Map<string, Change['kind']>,
  lower: MergedTree,
): void {
  const stubs = stubPaths(readConfig(target.storage, container.id), container).sort(
    (a, b) => b.length - a.length,
  );
  for (const stub of stubs) {
    changes.delete(stub);
    for (let path = parentOf(stub); path !== ''; path = parentOf(path)) {
      const kind = changes.get(path);
      if (kind === undefined || kind === 'D') continue;
      const hasMore = [...changes.keys()].some((other) => other.startsWith(`${path}/`));
      if (hasMore || (kind === 'C' && !isDirectoryIn(lower, path))) break;
      changes.delete(path);
    }
  }
}

function isDirectoryIn(tree: MergedTree, path: string): boolean {
  const entry: FsEntry | undefined = tree.get(path)?.entry;
  return entry !== undefined && isDirectory(entry);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
