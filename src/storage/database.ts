import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hasCode, TsmanError } from '../base/error.ts';

const SCHEMA_VERSION = 5;

/**
 * Every record: what exists and what it is called. Big things live in files beside it; what runs is
 * known to the kernel, not to this file.
 *
 * `image_names` maps a full reference (docker.io/library/debian:12) to an image.
 * `containers.spec` is JSON, see src/container/record.ts.
 */
const SCHEMA = `
CREATE TABLE images (
  id TEXT PRIMARY KEY,               -- 64 hex digits of the config's digest
  manifest_digest TEXT NOT NULL,     -- sha256:…
  manifest_type TEXT NOT NULL,
  manifest_bytes INTEGER NOT NULL,   -- its size, for index.json
  size_bytes INTEGER NOT NULL,       -- layers' archives, uncompressed + config + manifest, as Podman counts
  created_at TEXT NOT NULL,          -- RFC 3339, from the config
  loaded_at TEXT NOT NULL
) STRICT;
CREATE TABLE image_names (
  name TEXT PRIMARY KEY,
  image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE
) STRICT;
CREATE INDEX image_names_by_image ON image_names(image_id);
CREATE TABLE image_layers (
  image_id TEXT NOT NULL REFERENCES images(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,         -- 0 = bottom
  diff_id TEXT NOT NULL,             -- sha256:…, uncompressed
  digest TEXT NOT NULL,              -- sha256:…, of the blob
  PRIMARY KEY (image_id, position)
) STRICT;
CREATE INDEX image_layers_by_diff_id ON image_layers(diff_id);
CREATE TABLE layers (                -- written before the unpacked layer has its name
  diff_id TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL        -- of its tar archive, uncompressed
) STRICT;
CREATE TABLE manifest_lists (        -- made by "manifest create"
  name TEXT PRIMARY KEY,             -- full reference
  digest TEXT NOT NULL               -- of the index, a blob
) STRICT;
CREATE TABLE leases (                -- who uses content that no record names yet; see leases.ts
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,                -- 'ingest', 'collect' or 'garbage'
  pid INTEGER NOT NULL,
  start_time TEXT NOT NULL
) STRICT;
CREATE TABLE containers (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  image_id TEXT,                     -- NULL with --rootfs
  created_at TEXT NOT NULL,
  auto_remove INTEGER NOT NULL,
  spec TEXT NOT NULL
) STRICT;
CREATE INDEX containers_by_image ON containers(image_id);
CREATE TABLE volumes (
  name TEXT PRIMARY KEY,
  created_at TEXT NOT NULL,
  is_anonymous INTEGER NOT NULL,
  labels TEXT NOT NULL,              -- JSON, as are options
  options TEXT NOT NULL
) STRICT;
CREATE TABLE container_volumes (     -- a volume that a container has cannot be removed
  container_id TEXT NOT NULL REFERENCES containers(id) ON DELETE CASCADE,
  volume_name TEXT NOT NULL REFERENCES volumes(name),
  PRIMARY KEY (container_id, volume_name)
) STRICT;
CREATE INDEX container_volumes_by_volume ON container_volumes(volume_name);
CREATE TABLE secrets (               -- their content: secrets/<id> in the data root, 0600
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  labels TEXT NOT NULL
) STRICT;
CREATE TABLE networks (
  id TEXT PRIMARY KEY,               -- 64 hex digits
  name TEXT NOT NULL UNIQUE,
  record TEXT NOT NULL               -- JSON, see src/network/network.ts
) STRICT;
`;

/**
 * Opens (and at first use makes) the database.
 *
 * WAL lets readers go on while one process writes; `synchronous=NORMAL` can lose the last
 * transactions in a power cut but never corrupts, and a lost record only leaves an unnamed file
 * that prune removes. https://sqlite.org/wal.html
 *
 * Nobody closes it: the last one to close would write the log back, with four fsyncs, on the way to
 * starting a container. Its descriptors are close-on-exec and its locks end with them; the log is
 * written back every 200 pages instead, which keeps the next opening short.
 */
export function openDatabase(dataRoot: string): DatabaseSync {
  const path = join(dataRoot, 'db.sqlite');
  const isNew = !existsSync(path);
  try {
    const database = new DatabaseSync(path, { timeout: 30_000 });
    database.exec(
      'PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=200;',
    );
    if (isNew) database.exec('PRAGMA journal_mode=WAL');
    const version = userVersion(database);
    if (version === 0) createSchema(database);
    else if (version > SCHEMA_VERSION) {
      throw new TsmanError(
        `${path} was written by a newer tsman (schema ${version}, this one knows ${SCHEMA_VERSION})`,
      );
    } else if (version < SCHEMA_VERSION) {
      throw new TsmanError(
        `${path} was written by an older tsman (schema ${version}, this one needs ${SCHEMA_VERSION})`,
        { hint: 'tsman system reset removes the old store with all it holds' },
      );
    }
    return database;
  } catch (cause) {
    if (cause instanceof TsmanError) throw cause;
    if (isReadOnly(dataRoot))
      throw new TsmanError(`${dataRoot} is on a read-only file system`, {
        hint: 'choose another place with --root, or mount it writable',
      });
    throw new TsmanError(`open ${path}: ${(cause as Error).message}`, { cause });
  }
}

/** Even readers write beside the database: the shared memory of its log. */
function isReadOnly(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return false;
  } catch (error) {
    return hasCode(error, 'EROFS');
  }
}

function createSchema(database: DatabaseSync): void {
  inTransaction(database, () => {
    // Another first command may have made it between our look and our lock.
    if (userVersion(database) !== 0) return;
    database.exec(SCHEMA);
    database.exec(`PRAGMA user_version=${SCHEMA_VERSION}`);
  });
}

function userVersion(database: DatabaseSync): number {
  return Number(
    (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version,
  );
}

/** Runs `work` in one immediate (writing) transaction; rolls back when it throws. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}
