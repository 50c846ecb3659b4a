import { row } from './row.ts';

/** Commands about volumes. */
export const VOLUME_COMMANDS = [
  row('volume create', () => import('../volume/create.ts')),
  row('volume exists', () => import('../volume/exists.ts')),
  row('volume export', () => import('../volume/export.ts')),
  row('volume import', () => import('../volume/import.ts')),
  row('volume inspect', () => import('../volume/inspect.ts')),
  row('volume ls, volume list', () => import('../volume/ls.ts')),
  row('volume mount', () => import('../volume/mount.ts')),
  row('volume prune', () => import('../volume/prune.ts')),
  row('volume rm, volume remove', () => import('../volume/rm.ts')),
  row('volume unmount', () => import('../volume/mount.ts')),
];
