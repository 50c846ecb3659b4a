import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import type { Directories } from '../rootless/directories.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

/** A volume's record. Its data is in `<data root>/volumes/<name>/_data`. */
export interface Volume {
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Made for one container, with a random name; goes with it. */
  readonly isAnonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Of the local driver: `type`, `device`, `o`. */
  readonly options: Readonly<Record<string, string>>;
}

interface RawVolume {
  name: string;
  created_at: string;
  is_anonymous: number;
  labels: string;
  options: string;
}

function fromRaw(raw: RawVolume): Volume {
  return {
    name: raw.name,
    createdAt: raw.created_at,
    isAnonymous: raw.is_anonymous !== 0,
    labels: JSON.parse(raw.labels) as Record<string, string>,
    options: JSON.parse(raw.options) as Record<string, string>,
  };
}

/** What belongs to a volume: `_data`, `fresh` while it was never mounted, `users` of an anonymous one. */
export function volumeDirectory({ dataRoot }: Directories, name: string): string {
  return `${dataRoot}/volumes/${name}`;
}

/** What containers see. */
export function volumeData(directories: Directories, name: string): string {
  return `${volumeDirectory(directories, name)}/_data`;
}

/** Exists until the volume is filled from an image, see native/README.md, `copy-up`. */
export function volumeMarker(directories: Directories, name: string): string {
  return `${volumeDirectory(directories, name)}/fresh`;
}

/** @returns false when the name is taken */
export function insertVolume({ database }: Storage, volume: Volume): boolean {
  const { changes } = database
    .prepare(
      'INSERT OR IGNORE INTO volumes (name, created_at, is_anonymous, labels, options) VALUES (?, ?, ?, ?, ?)',
    )
    .run(
      volume.name,
      volume.createdAt,
      volume.isAnonymous ? 1 : 0,
      JSON.stringify(volume.labels),
      JSON.stringify(volume.options),
    );
  return Number(changes) > 0;
}

/** All volumes, by name. */
export function listVolumes(storage: Storage): Volume[] {
  const rows = storage.database
    .prepare('SELECT * FROM volumes ORDER BY name')
    .all() as unknown as RawVolume[];
  return rows.map(fromRaw).filter((volume) => !isGone(storage, volume));
}

/**
 * True when only the row is left of an anonymous volume: the monitor of a `--rm` container removed
 * the rest. Whoever notices deletes the row.
 */
function isGone(storage: Storage, volume: Volume): boolean {
  if (!volume.isAnonymous || fs.existsSync(volumeDirectory(storage.directories, volume.name)))
    return false;
  if (volumeUsers(storage, volume.name).length === 0) deleteVolumeRow(storage, volume.name);
  return true;
}

/** The volume of exactly this name. */
export function volumeByName(storage: Storage, name: string): Volume | undefined {
  const raw = storage.database.prepare('SELECT * FROM volumes WHERE name = ?').get(name) as
    | RawVolume
    | undefined;
  const volume = raw === undefined ? undefined : fromRaw(raw);
  return volume === undefined || isGone(storage, volume) ? undefined : volume;
}

/** The volume called `text`, or the only one whose name begins with it. @throws TsmanError */
export function findVolume(storage: Storage, text: string): Volume {
  const exact = volumeByName(storage, text);
  if (exact !== undefined) return exact;
  const found =
    text === '' ? [] : listVolumes(storage).filter((volume) => volume.name.startsWith(text));
  const [first] = found;
  if (first === undefined)
    throw new TsmanError(`no volume with name ${JSON.stringify(text)}`, {
      hint: 'tsman volume ls lists them',
    });
  if (found.length > 1)
    throw new TsmanError(`volume ${text} is ambiguous: several names begin with it`);
  return first;
}

/** The IDs of the containers that have it. A `--rm` container of which only the row is left counts no more. */
export function volumeUsers({ database, directories }: Storage, name: string): string[] {
  const rows = database
    .prepare(
      'SELECT id, auto_remove FROM containers JOIN container_volumes ON container_id = id WHERE volume_name = ?',
    )
    .all(name);
  return rows.flatMap((row) => {
    const id = String(row['id']);
    if (row['auto_remove'] === 0 || fs.existsSync(`${directories.dataRoot}/containers/${id}`))
      return [id];
    deleteContainerRow(database, id);
    return [];
  });
}

function deleteContainerRow(database: Storage['database'], id: string): void {
  database.prepare('DELETE FROM containers WHERE id = ?').run(id);
}

/** Deletes the record when no container has the volume. @returns whether it did */
export function deleteVolumeRow(storage: Storage, name: string): boolean {
  if (volumeUsers(storage, name).length > 0) return false;
  const { changes } = storage.database
    .prepare(
      'DELETE FROM volumes WHERE name = ? AND NOT EXISTS (SELECT 1 FROM container_volumes WHERE volume_name = ?)',
    )
    .run(name, name);
  return Number(changes) > 0;
}

/** The anonymous volumes of a container. */
export function anonymousVolumesOf({ database }: Storage, containerID: string): string[] {
  return database
    .prepare(
      'SELECT name FROM volumes JOIN container_volumes ON volume_name = name WHERE container_id = ? AND is_anonymous = 1',
    )
    .all(containerID)
    .map((row) => String(row['name']));
}

/** Notes which volumes a container has. To be called in the transaction that adds it. */
export function linkVolumes(
  { database }: Storage,
  containerID: string,
  names: readonly string[],
): void {
  const known = database.prepare('SELECT 1 FROM volumes WHERE name = ?');
  const insert = database.prepare('INSERT OR IGNORE INTO container_volumes VALUES (?, ?)');
  for (const name of names) {
    if (known.get(name) === undefined)
      throw new TsmanError(`volume ${name} was removed meanwhile`, {
        hint: 'run the command again',
      });
    insert.run(containerID, name);
  }
}

/** Forgets volumes and says which: used by removals that must not pass a creation. */
export function deleteVolumeRows(storage: Storage, names: readonly string[]): string[] {
  return inTransaction(storage.database, () =>
    names.filter((name) => deleteVolumeRow(storage, name)),
  );
}
