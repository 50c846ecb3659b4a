import { ownPasswdHome } from './own-user.ts';

/** `$HOME`, when it is an absolute path, else the directory that the passwd entry has. */
export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['HOME'];
  // With a relative or empty one files would lie wherever the command happens to be typed.
  return home?.startsWith('/') === true ? home : ownPasswdHome();
}

/** `$XDG_CONFIG_HOME`, else `~/.config` (XDG Base Directory Specification: a relative one is ignored). */
export function configHome(env: NodeJS.ProcessEnv = process.env): string {
  const config = env['XDG_CONFIG_HOME'];
  return config?.startsWith('/') === true ? config : `${homeDirectory(env)}/.config`;
}
