import { readIfExists } from './file.ts';

/** `$HOME`, when it is an absolute path, else the directory that the passwd entry has. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['HOME'];
  // With a relative or empty one files would lie wherever the command happens to be typed.
  return home?.startsWith('/') ? home : passwdHome();
}

/** `$XDG_CONFIG_HOME`, else `~/.config` (XDG Base Directory Specification: a relative one is ignored). */
export function configHome(env: NodeJS.ProcessEnv = process.env): string {
  const config = env['XDG_CONFIG_HOME'];
  return config?.startsWith('/') ? config : `${homeDirectory(env)}/.config`;
}

/** From the file: the runtime's userInfo() prefers `$HOME`, whatever it holds. */
function passwdHome(): string {
  const uid = String(process.geteuid?.() ?? 0);
  const entries = (readIfExists('/etc/passwd') ?? '').split('\n').map((line) => line.split(':'));
  // passwd(5): name:password:UID:GID:GECOS:directory:shell
  const home = entries.find((fields) => fields[2] === uid)?.[5];
  // A uid without an entry, as in many containers, or one of a directory service.
  return home?.startsWith('/') ? home : '/';
}
