import { existsSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';
import { linkVolumes } from './volumes.ts';

/** A container's row. `spec` is JSON that only src/container/ reads. */
export interface ContainerRow {
  readonly id: string;
  readonly name: string;
  readonly imageID: string | undefined;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly autoRemove: boolean;
  readonly spec: string;
}

interface RawRow {
  id: string;
  name: string;
  image_id: string | null;
  created_at: string;
  auto_remove: number;
  spec: string;
}

function fromRaw(raw: RawRow): ContainerRow {
  return {
    id: raw.id,
    name: raw.name,
    imageID: raw.image_id ?? undefined,
    createdAt: raw.created_at,
    autoRemove: raw.auto_remove !== 0,
    spec: raw.spec,
  };
}

/**
 * Adds a container whose name must be free, in one transaction; with `image`, the image must still
 * be there, and so must the volumes it has, so that `rmi` and `run` cannot pass each other.
 * @returns the row that holds the name already, or undefined when the container was added
 */
export function insertContainer(
  storage: Storage,
  row: ContainerRow,
  volumes: readonly string[] = [],
): ContainerRow | undefined {
  const { database } = storage;
  return inTransaction(database, () => {
    const holder = rowByName(storage, row.name);
    if (holder !== undefined) return holder;
    if (
      row.imageID !== undefined &&
      database.prepare('SELECT 1 FROM images WHERE id = ?').get(row.imageID) === undefined
    ) {
      throw new TsmanError(`image ${row.imageID.slice(0, 12)} was removed meanwhile`, {
        hint: 'run the command again',
      });
    }
    database
      .prepare(
        'INSERT INTO containers (id, name, image_id, created_at, auto_remove, spec) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(row.id, row.name, row.imageID ?? null, row.createdAt, row.autoRemove ? 1 : 0, row.spec);
    linkVolumes(storage, row.id, volumes);
    deleteSomeGone(storage);
    return undefined;
  });
}

const SOME = 4;

/**
 * The monitor of a `--rm` container removes its directory, but knows no database. For each row that comes a few
 * are looked at, from anywhere on: so rows of what is gone do not gather, and nobody pays for all of them.
 */
function deleteSomeGone(storage: Storage): void {
  const rows = storage.database
    .prepare('SELECT id FROM containers WHERE auto_remove = 1 AND id >= ? ORDER BY id LIMIT ?')
    .all(randomHex(1), SOME);
  for (const { id } of rows)
    if (!existsSync(`${storage.directories.dataRoot}/containers/${id}`))
      deleteContainerRow(storage, String(id));
}

export function deleteContainerRow(storage: Storage, id: string): void {
  storage.database.prepare('DELETE FROM containers WHERE id = ?').run(id);
}

/** Changes the name. @returns false when another container has it */
export function renameContainerRow(storage: Storage, id: string, name: string): boolean {
  return inTransaction(storage.database, () => {
    if (rowByName(storage, name) !== undefined) return false;
    storage.database.prepare('UPDATE containers SET name = ? WHERE id = ?').run(name, id);
    return true;
  });
}

export function updateContainerSpec(storage: Storage, id: string, spec: string): void {
  storage.database.prepare('UPDATE containers SET spec = ? WHERE id = ?').run(spec, id);
}

function rowByName(storage: Storage, name: string): ContainerRow | undefined {
  const raw = storage.database.prepare('SELECT * FROM containers WHERE name = ?').get(name) as
    | RawRow
    | undefined;
  return raw === undefined ? undefined : fromRaw(raw);
}

/** All containers, oldest first. */
export function listContainerRows(storage: Storage): ContainerRow[] {
  const rows = storage.database
    .prepare('SELECT * FROM containers ORDER BY created_at, id')
    .all() as unknown as RawRow[];
  return rows.map(fromRaw);
}

/** Those whose spec contains a text, such as the ID of another: only these need to be parsed. */
export function containerRowsWith(storage: Storage, text: string): ContainerRow[] {
  const rows = storage.database
    .prepare('SELECT * FROM containers WHERE instr(spec, ?) > 0 ORDER BY created_at, id')
    .all(text) as unknown as RawRow[];
  return rows.map(fromRaw);
}

/**
 * The container called `text`, or the one whose ID begins with it.
 * @throws TsmanError when several IDs begin so
 */
export function findContainerRow(storage: Storage, text: string): ContainerRow | undefined {
  const named = rowByName(storage, text);
  if (named !== undefined || !/^[0-9a-f]{1,64}$/.test(text)) return named;
  const rows = storage.database
    .prepare('SELECT * FROM containers WHERE id >= ? AND id < ? LIMIT 2')
    .all(text, `${text}g`) as unknown as RawRow[];
  if (rows.length > 1)
    throw new TsmanError(`container ${text} is ambiguous: several IDs begin with it`, {
      hint: 'give more digits, or the name',
    });
  return rows[0] === undefined ? undefined : fromRaw(rows[0]);
}
