import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { readIfExists } from '../base/file.ts';
import { userContainersPath } from './paths.ts';

/** Whose configuration, and from where. */
export interface ConfSearch {
  readonly env: NodeJS.ProcessEnv;
  readonly uid: number;
  /** Before `/etc` and `/usr/share`; for tests. */
  readonly root?: string;
  /** `--module`, in the order given; containers.conf only. */
  readonly modules?: readonly string[];
}

/** A file that says something. One of blank lines, comments and section headers only counts as not there. */
export interface ConfFile {
  readonly path: string;
  readonly text: string;
}

const WHOLE_FILE_VARIABLES = {
  containers: 'CONTAINERS_CONF',
  storage: 'CONTAINERS_STORAGE_CONF',
} as const;

/**
 * The files of `containers.conf` or `storage.conf`, the last one winning: the main file is the first
 * found of the user's, /etc and /usr/share; then the drop-ins of all three, where a later directory's
 * file replaces one of the same name and all are sorted by name; then modules and the override.
 * CONTAINERS_CONF and CONTAINERS_STORAGE_CONF stand for main file and drop-ins.
 */
export function findConfFiles(name: 'containers' | 'storage', search: ConfSearch): ConfFile[] {
  const { env } = search;
  const forced = env[WHOLE_FILE_VARIABLES[name]];
  const files = forced ? [mustRead(forced)] : [...mainFile(name, search), ...dropIns(name, search)];
  if (name === 'containers') {
    for (const module of search.modules ?? []) files.push(findModule(module, search));
    const override = env['CONTAINERS_CONF_OVERRIDE'];
    if (override) files.push(mustRead(override));
  }
  return files.filter(({ text }) => saysSomething(text));
}

// Distributions ship a file of comments and section headers; parsing it would cost every `run`.
function saysSomething(text: string): boolean {
  return /^[^\S\n]*[^\s#[]/m.test(text);
}

function directories({ env, root = '' }: ConfSearch): string[] {
  return [userContainersPath('', env), `${root}/etc/containers`, `${root}/usr/share/containers`];
}

function mainFile(name: string, search: ConfSearch): ConfFile[] {
  for (const directory of directories(search)) {
    const path = join(directory, `${name}.conf`);
    // Asked first: a failed read costs an Error, and every command looks for storage.conf.
    const text = existsSync(path) ? readIfExists(path) : undefined;
    if (text !== undefined) return [{ path, text }];
  }
  return [];
}

function dropIns(name: string, search: ConfSearch): ConfFile[] {
  const [user = '', etc = '', share = ''] = directories(search);
  const kind = search.uid === 0 ? 'rootful' : 'rootless';
  const ends = [`${name}.conf.d`, `${name}.${kind}.conf.d`];
  if (search.uid !== 0) ends.push(`${name}.${kind}.conf.d/${search.uid}`);
  const places = [
    ...[share, etc].flatMap((base) => ends.map((end) => join(base, end))),
    join(user, `${name}.conf.d`),
  ];
  const byName = new Map<string, string>();
  for (const place of places) {
    for (const file of listConf(place)) byName.set(file, join(place, file));
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, path]) => mustRead(path));
}

function listConf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.conf'));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** `--module`: a path, or a name in containers.conf.modules of the user, /etc or /usr/share. */
function findModule(module: string, search: ConfSearch): ConfFile {
  if (module.startsWith('/')) return mustRead(module);
  for (const directory of directories(search)) {
    const path = join(directory, 'containers.conf.modules', module);
    const text = readIfExists(path);
    if (text !== undefined) return { path, text };
  }
  throw new TsmanError(`option --module ${module}: no such module`, {
    hint: 'modules are files in ~/.config/containers/containers.conf.modules or /etc/containers/containers.conf.modules',
  });
}

function mustRead(path: string): ConfFile {
  const text = readIfExists(path);
  if (text === undefined) throw new TsmanError(`read ${path}: no such file`);
  return { path, text };
}
