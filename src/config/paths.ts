import { join } from 'node:path';
import { configHome } from '../base/home.ts';

export { homeDirectory } from '../base/home.ts';

/** `~/.config/containers/NAME`, where the containers tools keep a user's configuration. */
export function userContainersPath(name: string, env: NodeJS.ProcessEnv = process.env): string {
  return join(configHome(env), 'containers', name);
}
