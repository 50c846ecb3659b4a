import {
  type AuthFile,
  authEntries,
  authFilePaths,
  credentialHelper,
  credentialStore,
  DOCKER_HUB_KEY,
  findEntry,
  type Login,
  normalKey,
  readAuthFile,
  writeAuthFile,
} from './auth-file.ts';
import { eraseFromHelper, getFromHelper, storeInHelper } from './credential-helper.ts';

export interface LoginQuery {
  readonly registry: string;
  readonly repository?: string | undefined;
  /** `--authfile` */
  readonly authFile?: string | undefined;
}

/** Finds the credentials for a repository in auth.json, Docker's config.json and their helpers. */
export async function findLogin(
  query: LoginQuery,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Login | undefined> {
  for (const path of authFilePaths(query.authFile, env)) {
    const file = readAuthFile(path);
    if (file === undefined) continue;
    const login = await findInFile(file, query);
    if (login !== undefined) return login;
  }
  return undefined;
}

async function findInFile(
  file: AuthFile,
  { registry, repository }: LoginQuery,
): Promise<Login | undefined> {
  const helper = helperKeys(registry)
    .map((key) => credentialHelper(file, key))
    .find((name) => name !== undefined);
  if (helper !== undefined) return askHelper(helper, registry);
  const entry = findEntry(file, registry, repository);
  if (entry !== undefined) return entry;
  const store = credentialStore(file);
  return store === undefined ? undefined : askHelper(store, registry);
}

async function askHelper(helper: string, registry: string): Promise<Login | undefined> {
  for (const key of helperKeys(registry)) {
    const login = await getFromHelper(helper, key);
    if (login !== undefined) return login;
  }
  return undefined;
}

function helperKeys(registry: string): string[] {
  return registry === 'docker.io' ? [DOCKER_HUB_KEY, 'docker.io'] : [registry];
}

/** Keeps a login in `path`, or with the helper configured there. Returns who keeps it. */
export async function saveLogin(path: string, key: string, login: Login): Promise<string> {
  const file = readAuthFile(path) ?? { path, content: {} };
  const helper = credentialHelper(file, key) ?? credentialStore(file);
  if (helper !== undefined) {
    await storeInHelper(helper, key === 'docker.io' ? DOCKER_HUB_KEY : key, login);
    return `docker-credential-${helper}`;
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  writeAuthFile({
    path,
    content: { ...file.content, auths: { ...authEntries(file), [key]: { auth } } },
  });
  return path;
}

/** Forgets a login; false when there was none. */
export async function removeLogin(path: string, key: string): Promise<boolean> {
  const file = readAuthFile(path);
  if (file === undefined) return false;
  const helper = credentialHelper(file, key) ?? credentialStore(file);
  if (helper !== undefined)
    for (const server of helperKeys(key)) await eraseFromHelper(helper, server);
  const auths = authEntries(file);
  const keys = Object.keys(auths).filter((each) => normalKey(each) === key);
  for (const each of keys) delete auths[each];
  if (keys.length > 0) writeAuthFile({ path, content: { ...file.content, auths } });
  return keys.length > 0 || helper !== undefined;
}

/** Forgets every login of the file. */
export async function removeAllLogins(path: string): Promise<void> {
  const file = readAuthFile(path);
  if (file === undefined) return;
  for (const key of Object.keys(authEntries(file))) await removeLogin(path, normalKey(key));
}
