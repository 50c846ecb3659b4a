import { withLockFile } from '../base/lock-file.ts';
import {
  type AuthFile,
  authEntries,
  authFilePaths,
  credentialHelper,
  credentialStore,
  DOCKER_HUB_KEY,
  environmentAuthFile,
  findEntry,
  type Login,
  normalKey,
  readAuthFile,
  writeAuthFile,
} from './auth-file.ts';
import {
  eraseFromHelper,
  getFromHelper,
  listInHelper,
  storeInHelper,
} from './credential-helper.ts';
import { AUTH_FILES, loadRegistries } from './registries.ts';

export interface LoginQuery {
  readonly registry: string;
  readonly repository?: string | undefined;
  /** `--authfile` */
  readonly authFile?: string | undefined;
}

/**
 * Finds the credentials for a repository: in an explicit file alone; else in `credential-helpers` of
 * registries.conf, in their order, where `containers-auth.json` (the default) stands for
 * DOCKER_AUTH_CONFIG, auth.json and Docker's config.json with the helpers those name.
 */
export async function findLogin(
  query: LoginQuery,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Login | undefined> {
  for (const helper of await helperOrder(query.authFile, env)) {
    const login =
      helper === AUTH_FILES
        ? await findInFiles(query, env)
        : await askHelper(helper, query.registry);
    if (login !== undefined) return login;
  }
  return undefined;
}

async function helperOrder(
  authFile: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  if (authFile ?? env['REGISTRY_AUTH_FILE']) return [AUTH_FILES];
  return (await loadRegistries(env)).credentialHelpers;
}

async function findInFiles(query: LoginQuery, env: NodeJS.ProcessEnv): Promise<Login | undefined> {
  const given = query.authFile ?? env['REGISTRY_AUTH_FILE'];
  const sent = given ? undefined : environmentAuthFile(env);
  if (sent !== undefined) {
    const login = findEntry(sent, query.registry, query.repository);
    if (login !== undefined) return login;
  }
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

/**
 * Keeps a login in `path`, with the helper configured there, or with the first of `helpers`
 * (credential-helpers of registries.conf). Returns who keeps it. A helper knows no paths, so the login
 * of a part of a registry (`quay.io/team`) is always kept in the file.
 */
export async function saveLogin(
  path: string,
  key: string,
  login: Login,
  helpers: readonly string[] = [AUTH_FILES],
): Promise<string> {
  return withLockFile(path, async () => {
    const file = readAuthFile(path) ?? { path, content: {} };
    const [first = AUTH_FILES] = helpers;
    const own = credentialHelper(file, key) ?? credentialStore(file);
    const helper = first === AUTH_FILES ? own : first;
    if (helper !== undefined && !isNamespaced(key)) {
      await storeInHelper(helper, key === 'docker.io' ? DOCKER_HUB_KEY : key, login);
      return `docker-credential-${helper}`;
    }
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    writeAuthFile({
      path,
      content: { ...file.content, auths: { ...authEntries(file), [key]: { auth } } },
    });
    return path;
  });
}

function isNamespaced(key: string): boolean {
  return key !== DOCKER_HUB_KEY && key.includes('/');
}

/** Forgets a login, wherever it is kept; false when there was none. */
export async function removeLogin(
  path: string,
  key: string,
  helpers: readonly string[] = [AUTH_FILES],
): Promise<boolean> {
  return withLockFile(path, async () => {
    const file = readAuthFile(path) ?? { path, content: {} };
    const own = credentialHelper(file, key) ?? credentialStore(file);
    const programs = [...helpers.filter((name) => name !== AUTH_FILES), ...(own ? [own] : [])];
    let found = false;
    if (!isNamespaced(key))
      for (const helper of programs)
        for (const server of helperKeys(key))
          found = (await eraseFromHelper(helper, server)) || found;
    const auths = authEntries(file);
    const keys = Object.keys(auths).filter((each) => normalKey(each) === key);
    for (const each of keys) delete auths[each];
    if (keys.length > 0) writeAuthFile({ path, content: { ...file.content, auths } });
    return found || keys.length > 0;
  });
}

/** Forgets every login of the file and of the helpers that keep logins for it. */
export async function removeAllLogins(
  path: string,
  helpers: readonly string[] = [AUTH_FILES],
): Promise<void> {
  await withLockFile(path, async () => {
    const file = readAuthFile(path);
    const perRegistry = Object.entries((file?.content['credHelpers'] ?? {}) as object);
    for (const [server, helper] of perRegistry) await eraseFromHelper(String(helper), server);
    const store = file === undefined ? undefined : credentialStore(file);
    const programs = helpers.filter((name) => name !== AUTH_FILES);
    for (const helper of [...programs, ...(store === undefined ? [] : [store])])
      for (const server of await listInHelper(helper)) await eraseFromHelper(helper, server);
    if (file !== undefined && Object.keys(authEntries(file)).length > 0)
      writeAuthFile({ path, content: { ...file.content, auths: {} } });
  });
}
