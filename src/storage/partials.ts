import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { nodeChildProcess } from '../base/late-modules.ts';
import { startTimeOf } from '../base/process.ts';
import { randomHex } from '../base/random.ts';
import type { EngineUserns } from '../rootless/id-map.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import type { Storage } from './storage.ts';

/** What unpacking layers needs; an Engine is one. */
export interface LayerTarget {
  readonly storage: Storage;
  readonly userns: EngineUserns;
  /** Prints one line about what could not be done as wished. */
  readonly warn?: (text: string) => void;
}

/** `.<pid>-<start time>-<random>.partial`: pid and start time name one process while the machine is up. */
const PARTIAL = /^\.([0-9]+)-([0-9]+)-[0-9a-f]+\.partial$/;

/** The directory of unpacked layers, made at first use. */
export function layersDirectory({ directories }: Storage): string {
  const path = join(directories.dataRoot, 'layers');
  if (fs.mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined) spreadOut(path);
  return path;
}

/**
 * Has ext4 begin every layer in a part of the disk of its own (chattr(1), T). It does not hand out the
 * inodes of deleted files again for some minutes but searches past them at every creation: after the
 * removal of an image, the next one unpacked beside its place took ten times as long.
 */
function spreadOut(directory: string): void {
  // Other file systems have no such flag, and where chattr is missing it only takes longer.
  nodeChildProcess().spawnSync('chattr', ['+T', directory], { stdio: 'ignore', timeout: 5000 });
}

/** Makes a directory to unpack into; it is ours until it is renamed or `discard`ed. */
export function makePartial(storage: Storage): string {
  const path = join(layersDirectory(storage), partialName(process.pid));
  fs.mkdirSync(path, { mode: 0o755 });
  return path;
}

/** What a process calls something it has not finished. */
export function partialName(pid: number): string {
  return `.${pid}-${startTimeOf(pid) ?? 0}-${randomHex(8)}.partial`;
}

/**
 * Moves trees out of `layers/` into the trash and deletes them. Both by the agent: a layer's root may
 * belong to a subordinate id, and then we may not even rename it to another directory.
 */
export async function discard(target: LayerTarget, names: readonly string[]): Promise<void> {
  await discardPaths(
    target,
    names.map((name) => `layers/${name}`),
  );
}

/** The same for any trees, by their paths below the data root. */
export async function discardPaths(target: LayerTarget, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  const { directories } = target.storage;
  fs.mkdirSync(join(directories.dataRoot, 'trash'), { recursive: true, mode: 0o700 });
  const agent = openFsAgent({ userns: target.userns, directories }, directories.dataRoot);
  try {
    const trash = paths.map((path) => {
      const aside = `trash/${basename(path).slice(0, 24)}-${randomHex(4)}`;
      agent.rename(path, aside);
      return aside;
    });
    // Gone from the store before the long work begins.
    await agent.sync();
    for (const path of trash) agent.remove(path);
    await agent.sync();
  } finally {
    await agent.close();
  }
}

/** Deletes what killed processes left: half-unpacked layers whose owner is dead, and the trash. */
export async function sweepLeftovers(target: LayerTarget): Promise<void> {
  const { storage } = target;
  await discard(target, fs.readdirSync(layersDirectory(storage)).filter(isAbandoned));
  const trash = join(storage.directories.dataRoot, 'trash');
  const names = fs.existsSync(trash) ? fs.readdirSync(trash, { encoding: 'buffer' }) : [];
  if (names.length === 0) return;
  const agent = openFsAgent({ userns: target.userns, directories: storage.directories }, trash);
  try {
    for (const name of names) agent.remove(name);
    await agent.sync();
  } finally {
    await agent.close();
  }
}

/** True for the partial of a process that is gone. */
export function isAbandoned(name: string): boolean {
  const [, pid, startTime] = PARTIAL.exec(name) ?? [];
  return pid !== undefined && startTimeOf(Number(pid)) !== startTime;
}
