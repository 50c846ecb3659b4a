import * as fs from 'node:fs';
import { FsAgent } from '../../helper/fs-agent.ts';
import { FsConnection } from '../../helper/fs-connection.ts';
import type { PlanRecord } from '../../helper/plan.ts';
import { usernsRecords } from '../../rootless/id-map.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import { treeTar } from '../../storage/tree-tar.ts';
import { TreeUnpacker } from '../../storage/tree-unpacker.ts';
import { volumeData, volumeMarker } from '../../storage/volumes.ts';
import type { CreateTarget } from '../create.ts';
import { hasMappedCaller } from '../file-plan.ts';
import { archiveOf } from '../files/copy.ts';
import { containerOwner } from '../files/file-owner.ts';
import type { Container, VolumeMount } from '../record.ts';
import { isDirectory, resolveInside } from '../root/inside-path.ts';

/**
 * Fills new volumes of a container that does not map the caller (`nomap`, `auto`), as the native helper
 * does for all others (native/README.md, `copy-up`): the one who would copy up in there is that
 * container's root, and may not reach their directory. A death in between leaves the marker, and the
 * next start begins again.
 */
export async function prepareVolumes(target: CreateTarget, container: Container): Promise<void> {
  if (!isWithoutCaller(container)) return;
  const { volumes } = container.spec;
  for (const volume of volumes) {
    if (volume.type !== 'volume' || volume.name === undefined) continue;
    const marker = volumeMarker(target.directories, volume.name);
    if (!fs.existsSync(marker)) continue;
    await fill(target, container, volume, volumeData(target.directories, volume.name));
    fs.rmSync(marker, { force: true });
  }
}

/** Whether the container has an id map that we know, and in which the caller is nobody. */
function isWithoutCaller(container: Container): boolean {
  const { userns } = container.spec;
  return userns !== undefined && userns.join === undefined && !hasMappedCaller(container);
}

/**
 * Gives the files that were written for such a container, /etc/hosts and its like, to its root, as all
 * others have them: in there they would be nobody's.
 */
export async function giveFiles(
  target: CreateTarget,
  container: Container,
  directory: string,
  names: readonly string[],
): Promise<void> {
  if (!isWithoutCaller(container) || names.length === 0) return;
  const { uidMappings: uids = [], gidMappings: gids = [] } = container.spec.userns ?? {};
  const agent = openFsAgent(target, directory, { below: '', uids, gids });
  try {
    for (const name of names) agent.set(name, { owner: { uid: 0, gid: 0 } });
    await agent.sync();
  } finally {
    await agent.close();
  }
}

async function fill(
  target: CreateTarget,
  container: Container,
  { destination, options }: VolumeMount,
  data: string,
): Promise<void> {
  const { uidMappings: uids = [], gidMappings: gids = [] } = container.spec.userns ?? {};
  const reader = imageAgent(target, container);
  const writer = openFsAgent(target, data, { below: '', uids, gids });
  try {
    const found = await resolveInside(reader, destination);
    const { entry } = found;
    if (entry !== undefined && isDirectory(entry)) {
      if (!options.includes('nocopy')) await copyContent(reader, writer, `/${found.path}`);
      const { uid, gid, mode, mtime } = entry;
      writer.set('', { owner: { uid, gid }, mode: mode & 0o7777, mtime });
    } else writer.set('', { owner: await containerOwner(reader, container) });
    await writer.sync();
  } finally {
    await Promise.all([reader.close({ kill: true }), writer.close()]);
  }
}

/** The path has no links left; text of one character for each byte. */
async function copyContent(reader: FsAgent, writer: FsAgent, path: string): Promise<void> {
  const text = Buffer.from(path, 'latin1').toString();
  const sources = await archiveOf({ agent: reader, path: `${text}/.`, shown: text });
  const unpacker = new TreeUnpacker(writer, { at: '' });
  for await (const chunk of treeTar(reader, sources, { sparse: true })) {
    unpacker.write(chunk);
    await writer.drain();
  }
  unpacker.end();
}

/** An agent on the image's files, with the image's owners. */
function imageAgent({ directories, userns }: CreateTarget, { spec }: Container): FsAgent {
  const layers = spec.layers.map((hex) => `${directories.dataRoot}/layers/${hex}`);
  const root: PlanRecord =
    spec.rootfs === undefined
      ? ['rootfs-overlay', '', '', 'ro', ...layers]
      : ['rootfs-bind', spec.rootfs, 'ro'];
  const plan = [...usernsRecords(userns, directories.runRoot), root];
  return new FsAgent(new FsConnection(plan, directories.runRoot));
}
