import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { hasCode, TsmanError } from '../base/error.ts';
import { SCHEMA, SCHEMA_VERSION, UPGRADES } from './schema.ts';

/** How long a command waits for another one's transaction. */
const BUSY_MS = 30_000;

/**
 * Opens (and at first use makes) the database.
 *
 * WAL lets readers go on while one process writes; `synchronous=NORMAL` can lose the last
 * transactions in a power cut but never corrupts, and a lost record only leaves an unnamed file
 * that prune removes. https://sqlite.org/wal.html
 *
 * Nobody closes it: the last one to close would write the log back, with four fsyncs, on the way to
 * starting a container. Its descriptors are close-on-exec and its locks end with them; a long log is
 * written back by whoever wrote to it, see inTransaction.
 */
export function openDatabase(dataRoot: string): DatabaseSync {
  const path = join(dataRoot, 'db.sqlite');
  const isNew = !existsSync(path);
  try {
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    database.exec(
      'PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA wal_autocheckpoint=0;',
    );
    if (isNew) {
      database.exec('PRAGMA journal_mode=WAL');
      // On a full disk, where things are removed, it could not be made.
      mkdirSync(join(dataRoot, 'trash'), { recursive: true, mode: 0o700 });
    }
    prepareSchema(database, path);
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

/** Makes the tables, or brings those of an older tsman up to date. */
function prepareSchema(database: DatabaseSync, path: string): void {
  if (userVersion(database) === SCHEMA_VERSION) return;
  inTransaction(database, () => {
    // Another first command may have made it between our look and our lock.
    let version = userVersion(database);
    if (version === 0) database.exec(SCHEMA);
    else for (; version < SCHEMA_VERSION; version++) database.exec(upgradeFrom(version, path));
    if (version > SCHEMA_VERSION)
      throw new TsmanError(
        `${path} was written by a newer tsman (schema ${version}, this one knows ${SCHEMA_VERSION})`,
      );
    database.exec(`PRAGMA user_version=${SCHEMA_VERSION}`);
  });
}

/** @throws TsmanError for what is too old */
function upgradeFrom(version: number, path: string): string {
  const statements = UPGRADES[version];
  if (statements !== undefined) return statements;
  throw new TsmanError(
    `${path} was written by an older tsman (schema ${version}, this one needs ${SCHEMA_VERSION})`,
    { hint: 'tsman system reset removes the old store with all it holds' },
  );
}

function userVersion(database: DatabaseSync): number {
  return Number(
    (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version,
  );
}

/**
 * Runs `work` in one immediate (writing) transaction; rolls back when it throws.
 *
 * SQLite syncs the header of a log and its directory before the first frame, so that a log that is begun
 * anew is not mixed with what it held before. An empty log held nothing: without these two syncs, most of
 * the time of a transaction, a power cut loses it as it may lose any last transaction. Whoever writes the
 * log back syncs it first.
 */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  const logBytes = logSize(database);
  if (logBytes === 0) return withoutSync(database, () => transact(database, work));
  const result = transact(database, work);
  if (logBytes > LONG_LOG_BYTES) emptyLog(database);
  return result;
}

function withoutSync<T>(database: DatabaseSync, work: () => T): T {
  database.exec('PRAGMA synchronous=OFF');
  try {
    return work();
  } finally {
    database.exec('PRAGMA synchronous=NORMAL');
  }
}

/** Every command that comes first reads the log whole, 6 us a page; writing it back takes some 10 ms. */
const LONG_LOG_BYTES = 200 * 4096;

/**
 * Writes the log back and truncates it. SQLite's own way at a commit (wal_autocheckpoint) leaves the file as
 * it is, to be begun anew by a later writer of the same process or of one that has it open; but ours
 * end, and the next first one finds a log that grows for ever.
 */
function emptyLog(database: DatabaseSync): void {
  database.exec('PRAGMA busy_timeout=0');
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch {
    // A full disk, say: the transaction is in the log all the same, and the next one tries again.
  } finally {
    database.exec(`PRAGMA busy_timeout=${BUSY_MS}`);
  }
}

function transact<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    // Where it could not write, SQLite has rolled back by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function logSize(database: DatabaseSync): number {
  return statSync(`${database.location()}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}
