import { row } from './row.ts';

/** Commands about the engine and the machine. */
export const SYSTEM_COMMANDS = [
  row('system check', () => import('../system/check.ts')),
  row('completion', () => import('../completion.ts')),
  row('system df', () => import('../system/df.ts')),
  row('doctor, system doctor', () => import('../doctor.ts')),
  row('events, system events', () => import('../events.ts')),
  row('info, system info', () => import('../info.ts')),
  row('system prune', () => import('../system/prune.ts')),
  row('system reset', () => import('../system/reset.ts')),
  row('unshare', () => import('../unshare.ts')),
  row('version', () => import('../version.ts')),
];
