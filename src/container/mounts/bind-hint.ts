import { statSync } from 'node:fs';
import type { VolumeMount } from '../record.ts';

const WRITE_BY_OTHERS = 0o002;

/**
 * What helps when a container's user is not root and a directory of the caller's is mounted: in there
 * it belongs to root. Undefined when nothing is wrong.
 */
export function bindHint(user: string, mounts: readonly VolumeMount[]): string | undefined {
  const [name = ''] = user.split(':');
  const caller = process.getuid?.() ?? 0;
  if (caller === 0 || name === '' || name === '0' || name === 'root') return undefined;
  const closed = mounts.find((mount) => {
    if (mount.type === 'volume' || mount.type === 'image') return false;
    if (['ro', 'U', 'O'].some((word) => mount.options.includes(word))) return false;
    const stat = statSync(mount.source, { throwIfNoEntry: false });
    return stat?.uid === caller && (stat.mode & WRITE_BY_OTHERS) === 0;
  });
  if (closed === undefined) return undefined;
  const map = /^\d+$/.test(name) ? `keep-id:uid=${name}` : 'keep-id';
  return `hint: ${closed.source} is yours, and root's in the container: user ${name} cannot write there; --userns ${map} makes you that user\n`;
}
