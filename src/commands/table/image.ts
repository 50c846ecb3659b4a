import { row } from './row.ts';

/** Commands about images and the registries they come from. */
export const IMAGE_COMMANDS = [
  row('image diff', () => import('../image/diff.ts')),
  row('image exists', () => import('../image/exists.ts')),
  row('history, image history', () => import('../image/history.ts')),
  row('images, image ls, image list', () => import('../image/list.ts')),
  row('import, image import', () => import('../image/import.ts')),
  row('image inspect', () => import('../image/inspect.ts')),
  row('load, image load', () => import('../image/load.ts')),
  row('login', () => import('../login.ts')),
  row('logout', () => import('../logout.ts')),
  row('image mount', () => import('../image/mount.ts')),
  row('image prune', () => import('../image/prune.ts')),
  row('pull, image pull', () => import('../image/pull.ts')),
  row('push, image push', () => import('../image/push.ts')),
  row('rmi, image rm, image remove', () => import('../image/rm.ts')),
  row('save, image save', () => import('../image/save.ts')),
  row('image scp', () => import('../image/scp.ts')),
  row('search, image search', () => import('../search.ts')),
  row('tag, image tag', () => import('../image/tag.ts')),
  row('image tree', () => import('../image/tree.ts')),
  row('image unmount, image umount', () => import('../image/unmount.ts')),
  row('untag, image untag', () => import('../image/untag.ts')),
];
