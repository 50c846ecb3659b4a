import { existsSync } from 'node:fs';

/** Where systemd-journald(8) takes entries in its native protocol. */
export const JOURNAL_SOCKET = '/run/systemd/journal/socket';

export function hasJournal(): boolean {
  return existsSync(JOURNAL_SOCKET);
}
