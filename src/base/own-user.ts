import { readIfExists } from './file.ts';
import { nodeChildProcess } from './late-modules.ts';

/** A line of passwd(5): name:password:UID:GID:GECOS:directory:shell. */
type PasswdEntry = readonly string[];

/**
 * The calling user's name, as /etc/subuid has it. From /etc/passwd, not from os.userInfo(): under Bun
 * that is `$USER`, which after setpriv, in a bare environment or by intent is somebody else.
 */
export function ownUserName(): string {
  const uid = String(process.geteuid?.() ?? 0);
  return entryOf(uid)?.[0] ?? nameByService() ?? uid;
}

/** The calling user's directory; `/` when none is known. */
export function ownPasswdHome(): string {
  const home = entryOf(String(process.geteuid?.() ?? 0))?.[5];
  return home?.startsWith('/') === true ? home : '/';
}

function entryOf(uid: string): PasswdEntry | undefined {
  const lines = (readIfExists('/etc/passwd') ?? '').split('\n');
  return lines.map((line) => line.split(':')).find((fields) => fields[2] === uid);
}

/** Of a user whom only LDAP or its like knows. @returns undefined when nobody does */
function nameByService(): string | undefined {
  const { status, stdout } = nodeChildProcess().spawnSync('id', ['-un'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
