import { TsmanError } from '../base/error.ts';
import type { Login } from '../config/auth-file.ts';
import { ownEndpoint } from '../config/endpoints.ts';
import { AUTH_FILES, loadRegistries } from '../config/registries.ts';
import { hasStatus } from '../registry/error.ts';
import { ping } from '../registry/listing.ts';
import { openEndpoint, type RegistryAccess } from './registry-access.ts';

/** What `login` and `logout` take: `https://index.docker.io/v1/`, `quay.io`, `quay.io/team`. */
export interface LoginKey {
  /** The key in auth.json. */
  readonly key: string;
  readonly registry: string;
}

/** Reads the registry's name as the user typed it; Docker Hub when there is none. */
export function parseLoginKey(typed: string | undefined): LoginKey {
  const bare = (typed ?? 'docker.io').replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '');
  const [host = '', ...path] = bare.split('/');
  const registry = /^(index|registry-1)\.docker\.io$/.test(host) ? 'docker.io' : host;
  if (!/^(\[[\da-f:.]+\]|[\w.-]+)(:\d+)?$/i.test(registry)) {
    throw new TsmanError(`${JSON.stringify(typed)} is no registry: want HOST[:PORT][/PATH]`);
  }
  return { key: [registry, ...path].join('/'), registry };
}

/** Who keeps logins: the helpers of registries.conf, unless a file was given. */
export async function helpersFor(
  file: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  return file || env['REGISTRY_AUTH_FILE']
    ? [AUTH_FILES]
    : (await loadRegistries()).credentialHelpers;
}

/** Asks the registry whether it takes the credentials. @throws TsmanError when it does not */
export async function checkLogin(
  { key, registry }: LoginKey,
  login: Login,
  access: RegistryAccess,
): Promise<void> {
  const config = await loadRegistries();
  const own = ownEndpoint(config, {
    registry,
    repository: key.slice(registry.length + 1) || 'login',
  });
  const session = openEndpoint(own, { ...access, credentials: login });
  try {
    await ping(session);
  } catch (cause) {
    if (!hasStatus(cause, 401, 403)) throw new TsmanError(`log in to ${key}`, { cause });
    throw new TsmanError(`log in to ${key}: wrong user name or password`, {
      cause,
      hint: 'nothing was stored',
    });
  } finally {
    session.close();
  }
}
