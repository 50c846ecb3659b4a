import type { PlanRecord } from '../helper/plan.ts';

/**
 * Who tells systemd that the container is ready (`--sdnotify`): it itself, the monitor when it runs,
 * the monitor when it is healthy, nobody.
 */
export type SdNotify = 'container' | 'conmon' | 'healthy' | 'ignore';

export const SDNOTIFY_WORDS: readonly SdNotify[] = ['container', 'conmon', 'healthy', 'ignore'];

/** Where the container finds the socket, as with Podman. */
const SOCKET_INSIDE = '/run/notify/notify.sock';

/** The service manager that started us, if one did (sd_notify(3)). */
function notifySocket(kind: SdNotify): string | undefined {
  const socket = kind === 'ignore' ? '' : (process.env['NOTIFY_SOCKET'] ?? '');
  return socket.startsWith('/') || socket.startsWith('@') ? socket : undefined;
}

/** What the monitor tells. */
export function notifyRecords(kind: SdNotify = 'container'): PlanRecord[] {
  const socket = notifySocket(kind);
  return socket === undefined ? [] : [['sdnotify', kind, socket]];
}

/** What lets the container speak for itself. */
export function notifyMounts(kind: SdNotify = 'container'): PlanRecord[] {
  const socket = notifySocket(kind);
  if (kind !== 'container' || socket === undefined || socket.startsWith('@')) return [];
  return [['bind', socket, SOCKET_INSIDE, 'file,nosuid,nodev,rprivate']];
}

/** An abstract socket is the same everywhere, and within reach on the host's network alone. */
export function notifyEnvironment(kind: SdNotify = 'container'): PlanRecord[] {
  const socket = notifySocket(kind);
  if (kind !== 'container' || socket === undefined) return [];
  return [['env', `NOTIFY_SOCKET=${socket.startsWith('@') ? socket : SOCKET_INSIDE}`]];
}
