import { once } from 'node:events';
import * as fs from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { TsmanError } from '../../base/error.ts';
import type { FsAgent } from '../../helper/fs-agent.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import { decompressed } from '../../storage/decompress.ts';
import { type TarSource, treeTar } from '../../storage/tree-tar.ts';
import { TreeUnpacker } from '../../storage/tree-unpacker.ts';
import { type Volume, volumeData, volumeMarker } from '../../storage/volumes.ts';
import type { CreateTarget } from '../create.ts';
import { volumeType } from './volume-options.ts';

function dataOf({ directories }: CreateTarget, { name, options }: Volume): string {
  const type = volumeType(options);
  if (type === 'tmpfs')
    throw new TsmanError(`volume ${name} is a tmpfs: it exists inside each container only`);
  return type === 'bind' ? (options['device'] ?? '') : volumeData(directories, name);
}

/** Writes what is in a volume as a tar archive; below its directory whatever links say (CVE-2023-0778). */
export async function exportVolume(
  target: CreateTarget,
  volume: Volume,
  output: Writable,
): Promise<void> {
  const agent = openFsAgent(target, dataOf(target, volume));
  try {
    await writeTar(agent, await entriesBelow(agent, ''), output);
  } finally {
    await agent.close();
  }
}

/** Writes an archive to a stream and, unless it is our stdout, ends it. */
export async function writeTar(
  agent: FsAgent,
  sources: Iterable<TarSource>,
  output: Writable,
): Promise<void> {
  for await (const chunk of treeTar(agent, sources, { sparse: false }))
    if (!output.write(chunk)) await once(output, 'drain');
  if (output === process.stdout) return;
  output.end();
  await finished(output);
}

/** Listed whole before the first is read: an agent answers one request after the other. */
async function entriesBelow(agent: FsAgent, path: string): Promise<TarSource[]> {
  const sources: TarSource[] = [];
  for await (const entry of agent.walk(path)) {
    const name = entry.path.toString('latin1');
    if (name !== '') sources.push({ kind: 'entry', path: name, entry, tree: path });
  }
  return sources;
}

/** Unpacks a tar archive, compressed or not, into a volume; links in it lead nowhere else (CVE-2025-11395). */
export async function importVolume(
  target: CreateTarget,
  volume: Volume,
  input: Readable,
): Promise<void> {
  // Its content is the user's from now on: no image may add to it.
  fs.rmSync(volumeMarker(target.directories, volume.name), { force: true });
  const agent = openFsAgent(target, dataOf(target, volume));
  try {
    const unpacker = new TreeUnpacker(agent, { at: '' });
    for await (const chunk of decompressed(input)) {
      unpacker.write(chunk);
      await agent.drain();
    }
    unpacker.end();
    await agent.sync();
  } finally {
    await agent.close();
  }
}
