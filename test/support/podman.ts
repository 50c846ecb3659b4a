import { join } from 'node:path';
import { runProgram } from './programs.ts';

export type Podman = (...args: readonly string[]) => Promise<string>;

/** A podman with storage of its own in the directory, gone afterwards. It runs no containers. */
export async function withPodman(
  directory: string,
  body: (podman: Podman) => Promise<void>,
): Promise<void> {
  const root = join(directory, 'p');
  const storage = ['--root', root, '--runroot', join(directory, 'pr')];
  const podman: Podman = (...args) =>
    runProgram('podman', [...storage, '--storage-driver', 'overlay', ...args]);
  try {
    await body(podman);
  } finally {
    // It mounts this one on itself, in a namespace that stays.
    await podman('unshare', 'sh', '-c', 'umount -l "$0/overlay"; rm -rf "$0"', root);
  }
}
