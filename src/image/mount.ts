import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TsmanError } from '../base/error.ts';
import { digestHex } from '../oci/digest.ts';
import type { ImageRecord } from '../storage/images.ts';
import { layersDirectory } from '../storage/partials.ts';
import type { Storage } from '../storage/storage.ts';

/*
 * Images mounted read-only at `<data root>/mounts/<id>/merged`. Mounts need power over a mount
 * namespace: root's, or that of `tsman unshare`, with which they end.
 */
const run = promisify(execFile);

/** Mounts the image, unless it is mounted, and returns where. */
export async function mountImage(storage: Storage, image: ImageRecord): Promise<string> {
  const merged = mountPoint(storage, image.id);
  if (mountedImages(storage).includes(image.id)) return merged;
  fs.mkdirSync(merged, { recursive: true, mode: 0o700 });
  const layers = image.layers.map(({ diffID }) =>
    join(layersDirectory(storage), digestHex(diffID)),
  );
  const [only, ...others] = layers;
  if (only === undefined) return merged;
  if (others.length === 0) {
    await mount(['--bind', only, merged]);
    await mount(['-o', 'remount,bind,ro', merged]);
    return merged;
  }
  // mount(2) takes one page of options: short names leave room for a thousand layers.
  const names = join(storage.directories.dataRoot, 'mounts', image.id, 'l');
  fs.rmSync(names, { recursive: true, force: true });
  fs.mkdirSync(names);
  for (const [i, layer] of layers.entries()) fs.symlinkSync(layer, join(names, String(i)));
  const lower = layers.map((_, i) => i).reverse();
  await mount(
    ['-t', 'overlay', 'overlay', '-o', `ro,userxattr,lowerdir=${lower.join(':')}`, merged],
    names,
  );
  return merged;
}

/** Unmounts the image. @returns false when it was not mounted */
export async function unmountImage(storage: Storage, id: string): Promise<boolean> {
  if (!mountedImages(storage).includes(id)) return false;
  await program('umount', [mountPoint(storage, id)]);
  fs.rmSync(join(storage.directories.dataRoot, 'mounts', id), { recursive: true, force: true });
  return true;
}

/** The IDs of the images that are mounted in the mount namespace we are in. */
export function mountedImages({ directories }: Storage): string[] {
  const places = fs
    .readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '');
  const root = `${fs.realpathSync(directories.dataRoot)}/mounts/`;
  return places
    .filter((place) => place.startsWith(root))
    .map((place) => place.slice(root.length, root.length + 64));
}

/** Where the image is, or would be, mounted. */
export function mountPoint({ directories }: Storage, id: string): string {
  return join(directories.dataRoot, 'mounts', id, 'merged');
}

function mount(args: readonly string[], cwd?: string): Promise<void> {
  return program('mount', args, cwd);
}

async function program(name: string, args: readonly string[], cwd?: string): Promise<void> {
  try {
    await run(name, [...args], cwd === undefined ? {} : { cwd });
  } catch (cause) {
    const complaint = (cause as { stderr?: string }).stderr?.trim();
    throw new TsmanError(complaint || `run ${name}`, complaint ? {} : { cause });
  }
}
