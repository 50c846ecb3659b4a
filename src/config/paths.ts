import { homedir } from 'node:os';
import { join } from 'node:path';

/** `~/.config/containers/NAME`, where the containers tools keep a user's configuration. */
export function userContainersPath(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const config = env['XDG_CONFIG_HOME'];
  const base = config?.startsWith('/') ? config : join(homeDirectory(env), '.config');
  return join(base, 'containers', name);
}

export function homeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env['HOME'] || homedir();
}
