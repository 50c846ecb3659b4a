import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { ownUserName } from '../base/own-user.ts';
import { type ConfSearch, findConfFiles } from './conf-files.ts';
import { homeDirectory } from './paths.ts';
import { isTable, mergeToml, type TomlTable } from './toml.ts';

/** What storage.conf(5) says about where things lie. */
export interface StorageConf {
  readonly files: readonly string[];
  readonly dataRoot?: string;
  readonly runRoot?: string;
  readonly driver?: string;
  /** `[storage.options.overlay] userns`: how containers with their own user namespace get their root. */
  readonly userns?: string;
}

/** What distributions ship for Podman as root: no choice of the user, and Podman's own store. */
const PODMANS = [
  '/var/lib/containers/storage',
  '/run/containers/storage',
  '/var/run/containers/storage',
];

/**
 * Reads storage.conf. tsman's store is not Podman's: it lies in the directory `tsman` below `graphroot`
 * and `runroot`. Of users, the system's `graphroot` is not meant; `rootless_storage_path` is.
 */
export async function loadStorageConf(search: ConfSearch): Promise<StorageConf> {
  const files = findConfFiles('storage', search);
  if (files.length === 0) return { files: [] };
  const paths = files.map(({ path }) => path);
  try {
    return {
      files: paths,
      ...read(storageTable(await mergeToml(files)), await ownTable(), search),
    };
  } catch (cause) {
    throw new TsmanError(`read ${paths.join(', ')}`, { cause });
  }

  async function ownTable(): Promise<TomlTable> {
    const system = search.root ?? '';
    const own = files.filter(
      ({ path }) => !path.startsWith(`${system}/etc/`) && !path.startsWith(`${system}/usr/`),
    );
    return storageTable(await mergeToml(own));
  }
}

function read(storage: TomlTable, own: TomlTable, search: ConfSearch): Omit<StorageConf, 'files'> {
  const from = search.uid === 0 ? storage : own;
  const rootless = search.uid === 0 ? undefined : text(storage, 'rootless_storage_path');
  const dataRoot = place(text(from, 'graphroot') ?? rootless, search);
  const runRoot = place(text(from, 'runroot'), search);
  const driver = readDriver(storage);
  const userns = text(below(below(storage, 'options'), 'overlay'), 'userns');
  return {
    ...(dataRoot === undefined ? {} : { dataRoot }),
    ...(runRoot === undefined ? {} : { runRoot }),
    ...(driver === undefined || driver === '' ? {} : { driver }),
    ...(userns === undefined || userns === '' ? {} : { userns }),
  };
}

/** `mount_program` makes Podman's overlay fuse-overlayfs; here that is a driver of its own. */
function readDriver(storage: TomlTable): string | undefined {
  const driver = text(storage, 'driver');
  const program = mountProgram(storage);
  if (program === undefined || program === '' || (driver ?? 'overlay') !== 'overlay') return driver;
  if (!/(^|\/)fuse-overlayfs$/.test(program))
    throw new TsmanError(`mount_program ${program}: tsman knows fuse-overlayfs only`);
  return 'fuse-overlayfs';
}

function mountProgram(storage: TomlTable): string | undefined {
  const options = storage['options'] ?? {};
  if (!isTable(options)) throw new TsmanError('storage.options is not a table');
  const overlay = options['overlay'] ?? {};
  if (!isTable(overlay)) throw new TsmanError('storage.options.overlay is not a table');
  return text(overlay, 'mount_program') ?? text(options, 'mount_program');
}

function storageTable(document: TomlTable): TomlTable {
  const storage = document['storage'] ?? {};
  if (!isTable(storage)) throw new TsmanError('storage is not a table');
  return storage;
}

function below(table: TomlTable, key: string): TomlTable {
  const value = table[key];
  return isTable(value) ? value : {};
}

function text(table: TomlTable, key: string): string | undefined {
  const value = table[key];
  if (value === undefined || typeof value === 'string') return value;
  throw new TsmanError(`${key} is not a string`);
}

function place(path: string | undefined, { env, uid }: ConfSearch): string | undefined {
  if (path === undefined || path === '' || PODMANS.includes(path)) return undefined;
  const values: Readonly<Record<string, string>> = {
    HOME: homeDirectory(env),
    UID: String(uid),
    USER: env['USER'] ?? ownUserName(),
  };
  const plain = path.replace(/\$(\w+)/g, (whole, name: string) => values[name] ?? whole);
  if (!plain.startsWith('/')) throw new TsmanError(`${path} is not an absolute path`);
  return join(plain, 'tsman');
}
