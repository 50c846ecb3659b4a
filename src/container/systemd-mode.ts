import { TsmanError } from '../base/error.ts';
import type { RuntimeMount } from '../oci/runtime-config.ts';

export type SystemdMode = 'true' | 'false' | 'always';

/** podman-run(1), --systemd: the commands that count as systemd. */
const INITS = ['/sbin/init', '/usr/sbin/init', '/usr/local/sbin/init'];

/** SIGRTMIN+3 asks systemd to halt (systemd(1)). */
export const SYSTEMD_STOP_SIGNAL = 37;

/** @throws TsmanError for another word */
export function parseSystemdMode(text: string | undefined): SystemdMode {
  const word = (text ?? 'true').toLowerCase();
  if (word === 'true' || word === 'false' || word === 'always') return word;
  throw new TsmanError(`option --systemd: ${JSON.stringify(text)} is not true, false or always`);
}

/** Whether the container is to be set up for systemd as its first process. */
export function isSystemd(mode: SystemdMode, command: readonly string[]): boolean {
  if (mode !== 'true') return mode === 'always';
  const first = command[0] ?? '';
  return INITS.includes(first) || first.split('/').at(-1) === 'systemd';
}

/** What systemd wants to find empty and writable. */
export function systemdMounts(sizeBytes: number | undefined): RuntimeMount[] {
  const size = sizeBytes === undefined ? [] : [`size=${sizeBytes}`];
  return ['/run', '/run/lock', '/tmp', '/var/log/journal'].map((destination) => ({
    destination,
    type: 'tmpfs',
    source: 'tmpfs',
    options: ['nosuid', 'nodev', destination === '/tmp' ? 'mode=1777' : 'mode=755', ...size],
  }));
}
