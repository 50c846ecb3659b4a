import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { inTransaction, openDatabase } from '../../src/storage/database.ts';

const test = suite('the log of the database');
const NORMAL = 1;

function withDatabase(
  body: (database: ReturnType<typeof openDatabase>, log: string) => void,
): void {
  const directory = mkdtempSync(join(tmpdir(), 'tsman-'));
  const database = openDatabase(directory);
  try {
    body(database, join(directory, 'db.sqlite-wal'));
  } finally {
    database.close();
    rmSync(directory, { recursive: true });
  }
}

const synchronous = (database: ReturnType<typeof openDatabase>) =>
  database.prepare('PRAGMA synchronous').get()?.['synchronous'];

test('its first transaction is not synced, all others are as SQLite does it', () =>
  withDatabase((database, log) => {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    assert.is(statSync(log).size, 0);

    const inside = inTransaction(database, () => {
      database.exec("INSERT INTO secrets VALUES ('i', 'n', 't', 't', '{}')");
      return synchronous(database);
    });

    assert.is(inside, 0);
    assert.is(synchronous(database), NORMAL);
    assert.is(
      inTransaction(database, () => synchronous(database)),
      NORMAL,
    );
  }));

test('a first transaction that fails leaves nothing changed', () =>
  withDatabase((database) => {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');

    assert.throws(() =>
      inTransaction(database, () => {
        throw new Error('no');
      }),
    );
    assert.is(synchronous(database), NORMAL);
  }));

test('a long log is emptied, unless somebody reads it', () =>
  withDatabase((database, log) => {
    const fill = (): void => {
      database.exec('CREATE TABLE IF NOT EXISTS filling (bytes)');
      while (statSync(log).size < 2 << 20)
        database.exec('INSERT INTO filling VALUES (randomblob(100000))');
    };
    fill();
    inTransaction(database, () => undefined);
    assert.is(statSync(log).size, 0);

    fill();
    const reader = new DatabaseSync(log.replace(/-wal$/, ''));
    reader.exec('BEGIN; SELECT * FROM filling LIMIT 1');
    inTransaction(database, () => database.exec('DELETE FROM filling'));
    assert.ok(statSync(log).size > 0);
    reader.close();
    inTransaction(database, () => undefined);
    assert.is(statSync(log).size, 0);
  }));

test.run();
