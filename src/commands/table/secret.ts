import { row } from './row.ts';

/** Commands about secrets. */
export const SECRET_COMMANDS = [
  row('secret create', () => import('../secret/create.ts')),
  row('secret exists', () => import('../secret/exists.ts')),
  row('secret inspect', () => import('../secret/inspect.ts')),
  row('secret ls, secret list', () => import('../secret/ls.ts')),
  row('secret rm', () => import('../secret/rm.ts')),
];
