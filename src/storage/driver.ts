import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { readIfExists, writeAtomically } from '../base/file.ts';
import { kernelRelease } from '../base/process.ts';
import { usernsRecords } from '../rootless/id-map.ts';
import type { LayerTarget } from './partials.ts';
import { removeTree } from './trash.ts';

/** How a container's root is put together from its layers. */
export type StorageDriver = 'overlay' | 'fuse-overlayfs' | 'vfs';

const DRIVERS: readonly StorageDriver[] = ['overlay', 'fuse-overlayfs', 'vfs'];

/**
 * The driver for new containers: the one asked for, else what works here. The kernel's overlay is
 * tried once for each kernel and place, and the answer kept.
 */
export async function chooseDriver(
  target: LayerTarget,
  asked: string | undefined,
): Promise<StorageDriver> {
  if (asked !== undefined && asked !== '') return parseDriver(asked);
  const { directories } = target.storage;
  const path = join(directories.dataRoot, 'cache/driver');
  const [kernel, known] = (readIfExists(path) ?? '').split(' ');
  const driver = DRIVERS.find((each) => each === known);
  if (driver !== undefined && kernel === kernelRelease()) return driver;
  const found = await probe(target);
  remember(path, found);
  return found;
}

/** An answer of this kernel, in the directory `cache` of the data root. */
function remember(path: string, answer: string): void {
  fs.mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeAtomically(path, `${kernelRelease()} ${answer}`);
}

/** True for the names we know. */
export function isDriver(text: string): boolean {
  return text === 'overlay2' || DRIVERS.some((each) => each === text);
}

/** @throws TsmanError for a name that is no driver */
export function parseDriver(text: string): StorageDriver {
  const name = text === 'overlay2' ? 'overlay' : text;
  const driver = DRIVERS.find((each) => each === name);
  if (driver === undefined)
    throw new TsmanError(`storage driver ${JSON.stringify(text)} is not known`, {
      hint: `there are ${DRIVERS.join(', ')}`,
    });
  return driver;
}

/** The path of fuse-overlayfs. @throws TsmanError when it is not installed */
export function fuseOverlayfs(env: NodeJS.ProcessEnv = process.env): string {
  const places = [...(env['PATH'] ?? '').split(':'), '/usr/local/bin', '/usr/bin'];
  const found = places
    .map((place) => join(place, 'fuse-overlayfs'))
    .find((it) => fs.existsSync(it));
  if (found === undefined)
    throw new TsmanError('fuse-overlayfs is not installed', {
      hint: 'install the package fuse-overlayfs, or use --storage-driver vfs',
    });
  return found;
}

async function probe(target: LayerTarget): Promise<StorageDriver> {
  if (await canOverlay(target, '')) return 'overlay';
  try {
    fuseOverlayfs();
    fs.accessSync('/dev/fuse', fs.constants.R_OK | fs.constants.W_OK);
    return 'fuse-overlayfs';
  } catch {
    // Not installed, or no device: copies always work.
    return 'vfs';
  }
}

/**
 * Whether layers can be shifted, and how; undefined where no overlay of the kernel's can be mounted.
 * Data-only layers without privileges came with Linux 6.16: tried once for each kernel, not looked up.
 */
export async function shiftKind(target: LayerTarget): Promise<'data' | 'copy' | undefined> {
  const path = join(target.storage.directories.dataRoot, 'cache/shift');
  const [kernel, known] = (readIfExists(path) ?? '').split(' ');
  const kinds = ['data', 'copy'] as const;
  if (kernel === kernelRelease()) return kinds.find((each) => each === known);
  const found = (await canOverlay(target, 'data'))
    ? 'data'
    : (await canOverlay(target, ''))
      ? 'copy'
      : undefined;
  remember(path, found ?? 'none');
  return found;
}

/** Mounts an overlay of empty directories, in a mount namespace that ends with the helper. */
async function canOverlay(
  { storage: { directories }, userns }: LayerTarget,
  flags: '' | 'data',
): Promise<boolean> {
  const scratch = fs.mkdtempSync(join(directories.dataRoot, 'probe-'));
  const parts = ['upper', 'work', 'a', 'b'].map((name) => join(scratch, name));
  for (const part of parts) fs.mkdirSync(part);
  const [upper = '', work = '', ...lower] = parts;
  const plan = [
    ...usernsRecords(userns, directories.runRoot),
    ['rootfs-overlay', upper, work, flags, ...lower] as const,
  ];
  const [{ FsAgent }, { FsConnection }] = await Promise.all([
    import('../helper/fs-agent.ts'),
    import('../helper/fs-connection.ts'),
  ]);
  const agent = new FsAgent(new FsConnection(plan, directories.runRoot));
  try {
    await agent.sync();
    return true;
  } catch (error) {
    if (error instanceof TsmanError) return false;
    throw error;
  } finally {
    await agent.close();
    // The kernel makes a directory in `work` that only root of the namespace may enter.
    await removeTree({ directories, userns }, scratch);
  }
}
