import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

/** A network's row. `record` is JSON that only src/network/ reads. */
export interface NetworkRow {
  readonly id: string;
  readonly name: string;
  readonly record: string;
}

/** All networks, by name. */
export function listNetworkRows({ database }: Storage): NetworkRow[] {
  return database
    .prepare('SELECT * FROM networks ORDER BY name')
    .all()
    .map((row) => ({
      id: String(row['id']),
      name: String(row['name']),
      record: String(row['record']),
    }));
}

/**
 * Adds a network that `make` describes, knowing the others: nobody else adds one meanwhile, so that
 * two cannot choose the same name, bridge or addresses.
 */
export function insertNetworkRow(
  storage: Storage,
  make: (others: readonly NetworkRow[]) => NetworkRow,
): NetworkRow {
  return inTransaction(storage.database, () => {
    const row = make(listNetworkRows(storage));
    storage.database
      .prepare('INSERT INTO networks (id, name, record) VALUES (?, ?, ?)')
      .run(row.id, row.name, row.record);
    return row;
  });
}

export function updateNetworkRow({ database }: Storage, id: string, record: string): void {
  database.prepare('UPDATE networks SET record = ? WHERE id = ?').run(record, id);
}

export function deleteNetworkRow({ database }: Storage, id: string): void {
  database.prepare('DELETE FROM networks WHERE id = ?').run(id);
}
