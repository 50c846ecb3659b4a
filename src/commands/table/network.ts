import { row } from './row.ts';

/** Commands about networks. */
export const NETWORK_COMMANDS = [
  row('network connect', () => import('../network/connect.ts')),
  row('network create', () => import('../network/create.ts')),
  row('network disconnect', () => import('../network/disconnect.ts')),
  row('network exists', () => import('../network/exists.ts')),
  row('network inspect', () => import('../network/inspect.ts')),
  row('network ls, network list', () => import('../network/ls.ts')),
  row('network prune', () => import('../network/prune.ts')),
  row('network reload', () => import('../network/reload.ts')),
  row('network rm, network remove', () => import('../network/rm.ts')),
  row('network update', () => import('../network/update.ts')),
];
