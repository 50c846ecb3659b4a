import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { TsmanError } from '../../base/error.ts';
import type { Directories } from '../../rootless/directories.ts';
import { shiftedLowers } from '../../storage/shifted-lowers.ts';
import type { CreateTarget } from '../create.ts';
import type { Container } from '../record.ts';
import { containerDirectory, readState } from '../state.ts';

/*
 * Roots of containers at `<container>/merged`, for people and scripts with power over a mount
 * namespace: root, or whoever is in `tsman unshare`, with which these mounts end.
 */
const run = promisify(execFile);

/** Where the container's root is, or would be, mounted. */
export function containerMountPoint(directories: Directories, id: string): string {
  return `${containerDirectory(directories, id)}/merged`;
}

/** True when it is mounted in the mount namespace we are in. */
export function isMounted(directories: Directories, id: string): boolean {
  const place = containerMountPoint(
    { ...directories, dataRoot: fs.realpathSync(directories.dataRoot) },
    id,
  );
  const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return mounts.some((line) => line.split(' ')[4] === place);
}

/**
 * Mounts a container's root without its volumes, and returns where. The kernel forbids two writable
 * overlays over one upper directory: that of a running container is mounted read-only.
 */
export async function mountContainer(target: CreateTarget, container: Container): Promise<string> {
  const { directories } = target;
  const { spec, id } = container;
  if (spec.rootfs !== undefined && spec.rootfsOverlay !== true) return spec.rootfs;
  const merged = containerMountPoint(directories, id);
  if (isMounted(directories, id)) return merged;
  const own = containerDirectory(directories, id);
  const names = `${own}/lowers`;
  fs.rmSync(names, { recursive: true, force: true });
  fs.mkdirSync(names, { mode: 0o700 });
  fs.mkdirSync(merged, { recursive: true, mode: 0o700 });
  const isRunning = readState(directories, id).pid !== 0;
  const { layers, hasData } = layersOf(directories, spec);
  const lowers = isRunning ? [`${own}/upper`, ...layers] : layers;
  // mount(2) takes one page of options: short names leave room for a thousand layers.
  for (const [i, layer] of lowers.entries()) fs.symlinkSync(layer, `${names}/${i}`);
  const last = lowers.length - 1;
  const joined = lowers.map((_, i) => `${i === 0 ? '' : hasData && i === last ? '::' : ':'}${i}`);
  const lower = `lowerdir=${joined.join('')}`;
  const options = isRunning
    ? `ro,userxattr,${lower}`
    : `userxattr,${lower},upperdir=${own}/upper,workdir=${own}/work`;
  await program('mount', ['-t', 'overlay', 'overlay', '-o', options, merged], names);
  return merged;
}

/** The lower directories; with `hasData` the last one is data-only. */
function layersOf(
  directories: Directories,
  spec: Container['spec'],
): { layers: readonly string[]; hasData: boolean } {
  if (spec.rootfs !== undefined) return { layers: [spec.rootfs], hasData: false };
  if (spec.shifted !== undefined) {
    const { lowers, hasData } = shiftedLowers(directories, spec.shifted, spec.layers);
    return { layers: lowers, hasData };
  }
  const layers = spec.layers.map((hex) => `${directories.dataRoot}/layers/${hex}`);
  return { layers, hasData: false };
}

/** Unmounts it. @returns false when it was not mounted */
export async function unmountContainer(
  { directories }: CreateTarget,
  id: string,
): Promise<boolean> {
  if (!isMounted(directories, id)) return false;
  const merged = containerMountPoint(directories, id);
  await program('umount', [merged], '/');
  fs.rmdirSync(merged);
  fs.rmSync(`${containerDirectory(directories, id)}/lowers`, { recursive: true, force: true });
  return true;
}

async function program(name: string, args: string[], cwd: string): Promise<void> {
  try {
    await run(name, args, { cwd });
  } catch (cause) {
    const complaint = (cause as { stderr?: string }).stderr?.trim();
    throw new TsmanError(complaint || `run ${name}`, complaint ? {} : { cause });
  }
}
