import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { ensurePrivateDirectory, readIfExists, writeAtomically } from '../base/file.ts';
import { homeDirectory, userContainersPath } from './paths.ts';

/** A name and a password for a registry, as auth.json and credential helpers keep them. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string | undefined;
}

/** containers-auth.json(5) and Docker's config.json, as far as tsman reads it. */
export interface AuthFile {
  readonly path: string;
  /** Everything in it, so that what we do not know is kept when it is written back. */
  readonly content: Readonly<Record<string, unknown>>;
}

/** Docker's own key for Docker Hub, in config.json and towards credential helpers. */
export const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** The files to look for credentials in, first match wins; with an explicit file only that. */
export function authFilePaths(
  explicit: string | undefined,
  env: NodeJS.ProcessEnv = process.env,
): string[] {
  const forced = explicit ?? env['REGISTRY_AUTH_FILE'];
  if (forced) return [forced];
  const paths = [primaryAuthFile(env), userContainersPath('auth.json', env), dockerConfigPath(env)];
  return [...new Set(paths)];
}

/** Where `login` writes: $XDG_RUNTIME_DIR/containers/auth.json as Podman, else the user's configuration. */
export function primaryAuthFile(env: NodeJS.ProcessEnv = process.env): string {
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime?.startsWith('/')) return join(runtime, 'containers/auth.json');
  return userContainersPath('auth.json', env);
}

export function dockerConfigPath(env: NodeJS.ProcessEnv = process.env): string {
  return join(env['DOCKER_CONFIG'] || join(homeDirectory(env), '.docker'), 'config.json');
}

/** Reads one file; undefined when there is none. */
export function readAuthFile(path: string): AuthFile | undefined {
  const text = readIfExists(path);
  if (text === undefined) return undefined;
  if (text.trim() === '') return { path, content: {} };
  return parseAuthFile(path, text);
}

/** Docker's DOCKER_AUTH_CONFIG: the text of a config.json, for machines that build. */
export function environmentAuthFile(env: NodeJS.ProcessEnv): AuthFile | undefined {
  const text = env['DOCKER_AUTH_CONFIG'];
  return text ? parseAuthFile('DOCKER_AUTH_CONFIG', text) : undefined;
}

function parseAuthFile(path: string, text: string): AuthFile {
  try {
    const content: unknown = JSON.parse(text);
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return { path, content: content as Record<string, unknown> };
    }
  } catch {
    // The parser's message would quote the file, and that holds passwords.
  }
  throw new TsmanError(`read ${path}: not a JSON object`, {
    hint: 'repair or remove it, then log in again',
  });
}

/** Writes the file so that only its owner can read it. */
export function writeAuthFile({ path, content }: AuthFile): void {
  ensurePrivateDirectory(dirname(path));
  // A link stays a link: people keep such files elsewhere.
  const place = existsSync(path) ? realpathSync(path) : path;
  writeAtomically(place, `${JSON.stringify(content, undefined, '\t')}\n`, 0o600);
}

/** The `auths` table: key to entry. */
export function authEntries({ content }: AuthFile): Record<string, unknown> {
  const auths = content['auths'];
  return typeof auths === 'object' && auths !== null ? { ...auths } : {};
}

/** The program that keeps the credentials of a registry, or undefined. */
export function credentialHelper({ content }: AuthFile, registry: string): string | undefined {
  const helpers = content['credHelpers'];
  const own =
    typeof helpers === 'object' && helpers !== null
      ? (helpers as Record<string, unknown>)[registry]
      : undefined;
  return typeof own === 'string' && own !== '' ? own : undefined;
}

/** The program that keeps the credentials of all other registries, or undefined. */
export function credentialStore({ content }: AuthFile): string | undefined {
  const store = content['credsStore'];
  return typeof store === 'string' && store !== '' ? store : undefined;
}

/** The entry of the longest path that the repository lies in: host/a/b, host/a, host. */
export function findEntry(
  file: AuthFile,
  registry: string,
  repository: string | undefined,
): Login | undefined {
  const byKey = new Map<string, unknown>();
  for (const [key, entry] of Object.entries(authEntries(file))) byKey.set(normalKey(key), entry);
  const path = repository === undefined ? [] : repository.split('/');
  for (let length = path.length; length >= 0; length--) {
    const login = readEntry(byKey.get([registry, ...path.slice(0, length)].join('/')));
    if (login !== undefined) return login;
  }
  return undefined;
}

/** `https://index.docker.io/v1/` -> `docker.io`; old Docker wrote whole URLs. */
export function normalKey(key: string): string {
  const bare = /^https?:\/\//.test(key)
    ? (key.replace(/^https?:\/\//, '').split('/')[0] ?? '')
    : key;
  return /^(index|registry-1)\.docker\.io$/.test(bare) ? 'docker.io' : bare;
}

function readEntry(value: unknown): Login | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { auth, identitytoken, username, password } = value as Record<string, unknown>;
  const identityToken =
    typeof identitytoken === 'string' && identitytoken !== '' ? identitytoken : undefined;
  const pair = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : '';
  const colon = pair.indexOf(':');
  if (colon > 0) {
    return {
      username: pair.slice(0, colon),
      password: pair.slice(colon + 1).replace(/\0+$/, ''),
      identityToken,
    };
  }
  if (typeof username === 'string' && typeof password === 'string')
    return { username, password, identityToken };
  return identityToken === undefined
    ? undefined
    : { username: '<token>', password: '', identityToken };
}
