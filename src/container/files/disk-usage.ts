import { existsSync, readdirSync } from 'node:fs';
import type { FsAgent } from '../../helper/fs-agent.ts';
import { digestHex } from '../../oci/digest.ts';
import type { Directories } from '../../rootless/directories.ts';
import { openFsAgent } from '../../rootless/rootfs-agent.ts';
import {
  containersUsing,
  type ImageRecord,
  listImages,
  listManifests,
} from '../../storage/images.ts';
import { listShiftedLayers } from '../../storage/shifted-layers.ts';
import { listVolumes, type Volume, volumeUsers } from '../../storage/volumes.ts';
import type { CreateTarget } from '../create.ts';
import { isGone } from '../existing.ts';
import { type Container, listContainers } from '../record.ts';
import { isActive, readState } from '../state.ts';

export interface ImageUsage {
  readonly image: ImageRecord;
  /** Blocks of blobs and layers that other images have, too. */
  readonly sharedBytes: number;
  readonly uniqueBytes: number;
  readonly containers: number;
}

export interface ContainerUsage {
  readonly container: Container;
  readonly sizeBytes: number;
  readonly isRunning: boolean;
}

export interface VolumeUsage {
  readonly volume: Volume;
  readonly sizeBytes: number;
  readonly links: number;
}

/** Where the disk's blocks are. What several images share is counted once in the sums. */
export interface DiskUsage {
  readonly images: readonly ImageUsage[];
  readonly imageBytes: number;
  /** What would go with the images that no container uses. */
  readonly reclaimableImageBytes: number;
  readonly containers: readonly ContainerUsage[];
  readonly volumes: readonly VolumeUsage[];
  /** Content that no record reaches: what killed commands left, and the next prune takes. */
  readonly unreferencedBytes: number;
}

/** Asks the file system, not the records: sizes are blocks on the disk. */
export async function measureDiskUsage(target: CreateTarget): Promise<DiskUsage> {
  const agent = openFsAgent(target, target.directories.dataRoot);
  try {
    const content = await measureContent(agent, target.directories);
    const existing = listContainers(target.storage).filter((it) => !isGone(target, it));
    const containers = existing.map(async (container) => ({
      container,
      sizeBytes: await usage(agent, `containers/${container.id}`),
      isRunning: isActive(readState(target.directories, container.id)),
    }));
    const volumes = listVolumes(target.storage).map(async (volume) => ({
      volume,
      sizeBytes: await usage(agent, `volumes/${volume.name}`),
      links: volumeUsers(target.storage, volume.name).length,
    }));
    return {
      ...imageUsage(target, content),
      containers: await Promise.all(containers),
      volumes: await Promise.all(volumes),
    };
  } finally {
    await agent.close();
  }
}

/** Blocks of each blob, unpacked layer and leftover, by its path below the data root. */
async function measureContent(
  agent: FsAgent,
  directories: Directories,
): Promise<Map<string, number>> {
  const { dataRoot } = directories;
  const paths = ['images/blobs/sha256', 'layers', 'ingest', 'trash'].flatMap((directory) =>
    existsSync(`${dataRoot}/${directory}`)
      ? readdirSync(`${dataRoot}/${directory}`).map((name) => `${directory}/${name}`)
      : [],
  );
  paths.push(...listShiftedLayers(directories).map(({ path }) => path));
  const sizes = paths.map(async (path) => [path, await usage(agent, path)] as const);
  return new Map(await Promise.all(sizes));
}

async function usage(agent: FsAgent, path: string): Promise<number> {
  try {
    return (await agent.usage(path)).sizeBytes;
  } catch (error) {
    // Removed meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

function imageUsage(
  { storage, directories }: CreateTarget,
  content: ReadonlyMap<string, number>,
): Pick<DiskUsage, 'images' | 'imageBytes' | 'reclaimableImageBytes' | 'unreferencedBytes'> {
  const images = listImages(storage);
  const shifted = shiftedPaths(directories);
  const manifests = Map.groupBy(listManifests(storage), ({ id }) => id);
  const pathsOf = ({ id }: ImageRecord): string[] => contentOf(manifests.get(id) ?? [], shifted);
  const users = new Map<string, number>();
  for (const image of images)
    for (const path of pathsOf(image)) users.set(path, (users.get(path) ?? 0) + 1);
  const size = (paths: Iterable<string>): number =>
    [...paths].reduce((sum, path) => sum + (content.get(path) ?? 0), 0);
  const rows = images.map((image) => {
    const own = pathsOf(image);
    const unique = own.filter((path) => users.get(path) === 1);
    const uniqueBytes = size(unique);
    const containers = containersUsing(storage, image.id).length;
    return { image, sharedBytes: size(own) - uniqueBytes, uniqueBytes, containers };
  });
  const kept = new Set(
    rows.filter((row) => row.containers > 0).flatMap(({ image }) => pathsOf(image)),
  );
  const imageBytes = size(users.keys());
  const everything = size(content.keys());
  return {
    images: rows,
    imageBytes,
    reclaimableImageBytes: imageBytes - size(kept),
    unreferencedBytes: everything - imageBytes,
  };
}

/** The copies of each layer for other id maps. */
function shiftedPaths(directories: Directories): Map<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { hex, path } of listShiftedLayers(directories))
    paths.set(hex, [...(paths.get(hex) ?? []), path]);
  return paths;
}

/** Of an image, given once for each of its manifests. Each path once: it may have the same layer twice. */
function contentOf(
  manifests: readonly ImageRecord[],
  shifted: ReadonlyMap<string, readonly string[]>,
): string[] {
  const paths = manifests.flatMap(({ id, manifestDigest, layers }) => [
    ...[`sha256:${id}` as const, manifestDigest, ...layers.map(({ digest }) => digest)].map(
      (digest) => `images/blobs/sha256/${digestHex(digest)}`,
    ),
    ...layers.flatMap(({ diffID }) => [
      `layers/${digestHex(diffID)}`,
      ...(shifted.get(digestHex(diffID)) ?? []),
    ]),
  ]);
  return [...new Set(paths)];
}
