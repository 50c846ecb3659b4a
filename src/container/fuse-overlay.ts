import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';

/** Where fuse-overlayfs is. @throws TsmanError when it is not installed */
export function fuseOverlay(): string {
  const directories = (process.env['PATH'] ?? '').split(':').filter((path) => path.startsWith('/'));
  for (const directory of [...directories, '/usr/bin', '/usr/local/bin']) {
    const path = join(directory, 'fuse-overlayfs');
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this one.
    }
  }
  throw new TsmanError('a user namespace of its own needs fuse-overlayfs, which is not installed', {
    hint: 'sudo apt-get install fuse-overlayfs',
  });
}
