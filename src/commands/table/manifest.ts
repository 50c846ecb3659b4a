import { row } from './row.ts';

/** Commands about manifest lists. */
export const MANIFEST_COMMANDS = [
  row('manifest add', () => import('../manifest/add.ts')),
  row('manifest annotate', () => import('../manifest/annotate.ts')),
  row('manifest create', () => import('../manifest/create.ts')),
  row('manifest exists', () => import('../manifest/exists.ts')),
  row('manifest inspect', () => import('../manifest/inspect.ts')),
  row('manifest push', () => import('../manifest/push.ts')),
  row('manifest remove', () => import('../manifest/remove.ts')),
  row('manifest rm', () => import('../manifest/rm.ts')),
];
