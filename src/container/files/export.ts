import { once } from 'node:events';
import { constants } from 'node:fs';
import type { Writable } from 'node:stream';
import type { FsAgent } from '../../helper/fs-agent.ts';
import type { FsEntry } from '../../helper/fs-protocol.ts';
import { TAR_END, type TarWriteEntry, tarEntryHeader, tarPadding } from '../../oci/tar-write.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';
import { lowerLayers, type MergedTree, mergeLayers, upperLayer } from '../root/merged-tree.ts';
import { ownerView } from '../root/shifted-root.ts';
import { vfsRoot } from '../root/vfs-root.ts';

const TYPE_FLAGS: Readonly<Record<number, string>> = {
  [constants.S_IFREG]: '0',
  [constants.S_IFLNK]: '2',
  [constants.S_IFCHR]: '3',
  [constants.S_IFBLK]: '4',
  [constants.S_IFDIR]: '5',
  [constants.S_IFIFO]: '6',
};

const NAME_OF_AN_OVERLAY_XATTR = /^(user|trusted)\.overlay\./;

/** Writes the container's root file system, without its mounts, as a tar archive. */
export async function exportContainer(
  target: CreateTarget,
  container: Container,
  output: Writable,
): Promise<void> {
  const { rootfs } = container.spec;
  const view = ownerView(target, container, ownTree(container));
  const agent = openFsAgent(target, rootfs ?? target.directories.dataRoot, view);
  try {
    const layers = treesOf(container);
    await writeTree(agent, await mergeLayers(agent, layers), output);
  } finally {
    await agent.close();
  }
}

/** Where what is the container's alone lies, below the data root. */
function ownTree(container: Container): string {
  return container.spec.driver === 'vfs' ? vfsRoot(container) : upperLayer(container);
}

function treesOf(container: Container): string[] {
  if (container.spec.rootfs !== undefined) return [''];
  if (container.spec.driver === 'vfs') return [vfsRoot(container)];
  return [upperLayer(container), ...lowerLayers(container)];
}

async function writeTree(agent: FsAgent, tree: MergedTree, output: Writable): Promise<void> {
  const put = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length > 0 && !output.write(bytes)) await once(output, 'drain');
  };
  const firstNames = new Map<string, string>();
  // Layers were walked one after the other: sorted, parents come before their children again.
  const paths = [...tree.keys()].sort();
  for (const path of paths) {
    const merged = tree.get(path);
    if (merged === undefined || path === '') continue;
    const { entry, layer } = merged;
    const inode = `${layer} ${entry.inode}`;
    const first = entry.linkCount > 1 ? firstNames.get(inode) : undefined;
    const header = headerOf(path, entry, first);
    // A socket is nothing an archive could keep.
    if (header === undefined) continue;
    firstNames.set(inode, path);
    await put(tarEntryHeader(header));
    if (header.typeFlag !== '0') continue;
    const source = Buffer.from(layer === '' ? path : `${layer}/${path}`, 'latin1');
    await writeContent(agent, source, entry.sizeBytes, put);
    await put(tarPadding(entry.sizeBytes));
  }
  await put(TAR_END);
}

function headerOf(
  path: string,
  entry: FsEntry,
  firstName: string | undefined,
): TarWriteEntry | undefined {
  const type = TYPE_FLAGS[entry.mode & constants.S_IFMT];
  if (type === undefined) return undefined;
  const isLink = firstName !== undefined && type !== '5';
  return {
    name: type === '5' ? `${path}/` : path,
    typeFlag: isLink ? '1' : type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    sizeBytes: type === '0' && !isLink ? entry.sizeBytes : 0,
    mtime: entry.mtime,
    linkName: isLink ? firstName : entry.linkTarget.toString('latin1'),
    deviceMajor: entry.deviceMajor,
    deviceMinor: entry.deviceMinor,
    xattrs: isLink
      ? []
      : entry.xattrs
          .map(({ name, value }) => ({ name: name.toString('latin1'), value }))
          .filter(({ name }) => !NAME_OF_AN_OVERLAY_XATTR.test(name)),
  };
}

const HOLE = Buffer.alloc(1 << 16);

/** Exactly as many bytes as the header says: a running container may change the file meanwhile. */
async function writeContent(
  agent: FsAgent,
  source: Buffer,
  sizeBytes: number,
  put: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  let at = 0;
  const fill = async (end: number): Promise<void> => {
    while (at < end) {
      const count = Math.min(HOLE.length, end - at);
      await put(HOLE.subarray(0, count));
      at += count;
    }
  };
  if (sizeBytes > 0) {
    for await (const { offset, bytes } of agent.readFile(source, 0, sizeBytes)) {
      await fill(offset);
      const part = bytes.subarray(0, Math.max(0, sizeBytes - offset));
      // The agent may reuse its buffer, and the stream may keep ours.
      await put(Buffer.from(part));
      at += part.length;
    }
  }
  await fill(sizeBytes);
}
