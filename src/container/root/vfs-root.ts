import * as fs from 'node:fs';
import { basename } from 'node:path';
import type { FsAgent } from '../../helper/fs-agent.ts';
import type { FsEntry } from '../../helper/fs-protocol.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import { unpackInto } from '../../storage/layer-unpack.ts';
import { isDirectory, type MergedTree, mergeLayers } from '../../storage/merged-tree.ts';
import { discard, makePartial } from '../../storage/partials.ts';
import { type TarSource, treeTar } from '../../storage/tree-tar.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';
import { lowerLayers } from './merged-tree.ts';
import { ownerView } from './shifted-root.ts';

/*
 * The driver vfs: a container's root is a copy of its layers, `containers/<id>/rootfs`, made at its
 * first start. What it changed is found by comparing.
 */

/** Below the data root. */
export function vfsRoot({ id }: Pick<Container, 'id'>): string {
  return `containers/${id}/rootfs`;
}

/** Copies the layers, unless that was done before. The copy has its name only when it is whole. */
export async function makeVfsRoot(target: CreateTarget, container: Container): Promise<void> {
  const { directories, storage } = target;
  const path = `${directories.dataRoot}/${vfsRoot(container)}`;
  if (fs.existsSync(path)) return;
  const partial = makePartial(storage);
  const reader = openFsAgent(target, directories.dataRoot);
  const writer = openFsAgent(target, partial, ownerView(target, container, ''));
  try {
    const tree = await mergeLayers(reader, lowerLayers(container));
    await unpackInto(writer, treeTar(reader, treeSources(tree), { sparse: true }));
    await writer.sync();
    await writer.close();
    // By the agent: the copy's root may belong to a subordinate id.
    reader.rename(`layers/${basename(partial)}`, vfsRoot(container));
    await reader.sync();
    await reader.close();
  } catch (error) {
    await Promise.all([reader.close({ kill: true }), writer.close({ kill: true })]);
    // A failure to tidy up must not hide the first one; the next sweep tries again.
    if (fs.existsSync(partial)) await discard(target, [basename(partial)]).catch(() => {});
    throw error;
  }
}

function* treeSources(tree: MergedTree): Generator<TarSource> {
  for (const path of [...tree.keys()].sort()) {
    const found = tree.get(path);
    if (found !== undefined && path !== '')
      yield { kind: 'entry', path, entry: found.entry, tree: found.layer };
  }
}

/** What differs from the layers, as a layer's entries, sorted. */
export async function vfsSources(
  agent: FsAgent,
  container: Container,
  stubs: readonly string[],
): Promise<TarSource[]> {
  const root = vfsRoot(container);
  const before = await mergeLayers(agent, lowerLayers(container));
  const after = await mergeLayers(agent, [root]);
  const ours = (path: string): boolean =>
    stubs.some((stub) => path === stub || path.startsWith(`${stub}/`));
  const sources: TarSource[] = [];
  for (const [path, { entry }] of after) {
    const old = before.get(path)?.entry;
    if (path !== '' && !ours(path) && (old === undefined || isOther(old, entry)))
      sources.push({ kind: 'entry', path, entry, tree: root });
  }
  for (const path of before.keys())
    if (
      !after.has(path) &&
      !ours(path) &&
      after.has(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
    )
      sources.push({ kind: 'whiteout', path });
  return sources.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** A directory's time changes with what is in it; that is said of what is in it. */
function isOther(before: FsEntry, after: FsEntry): boolean {
  const attributes = ({ mode, uid, gid, xattrs }: FsEntry): string =>
    [
      ...[mode, uid, gid],
      ...xattrs
        .filter(({ name }) => !/^(user|trusted)\.overlay\./.test(name.toString()))
        .map(({ name, value }) => `${name}=${value.toString('hex')}`),
    ].join();
  if (attributes(before) !== attributes(after)) return true;
  if (isDirectory(after)) return false;
  return (
    before.sizeBytes !== after.sizeBytes ||
    before.mtime.seconds !== after.mtime.seconds ||
    !before.linkTarget.equals(after.linkTarget)
  );
}
