import { TsmanError } from '../base/error.ts';
import { startTimeOf } from '../base/process.ts';
import { sleep } from '../base/sleep.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

/**
 * Who may touch content that no image names yet.
 *
 * A pull or load first stores blobs and layers and names them at the end; meanwhile they look like
 * garbage, and content it found already there may lose its last name. So whoever brings content in
 * holds an `ingest` lease (many at once) and whoever removes unnamed content the `collect` lease
 * (alone): a readers-writer lock whose holders are named by pid and start time, so that a killed one
 * counts no longer. A collector never waits for an ingest, which may take an hour: it leaves a
 * `garbage` note, and the ingest that ends last collects.
 */
type LeaseKind = 'ingest' | 'collect';
const COLLECT_TIMEOUT_MS = 60_000;

/** Runs `work`, which stores content and then names it with putImage, safe from the collector. */
export async function withIngest<T>(storage: Storage, work: () => Promise<T>): Promise<T> {
  const lease = await waitForIngest(storage);
  try {
    return await work();
  } finally {
    release(storage, lease);
  }
}

/** Runs `work`, which removes unnamed content; false when it was left to an ingest now under way. */
export async function withCollect(storage: Storage, work: () => Promise<void>): Promise<boolean> {
  const lease = tryAcquire(storage, 'collect');
  if (lease === undefined) return false;
  try {
    await work();
    return true;
  } finally {
    release(storage, lease);
  }
}

/** True when a collector had to leave work undone and nobody is in its way any more. */
export function isGarbageLeft(storage: Storage): boolean {
  const rows = storage.database.prepare('SELECT kind FROM leases').all();
  return rows.length > 0 && rows.every((row) => row['kind'] === 'garbage');
}

async function waitForIngest(storage: Storage): Promise<number> {
  for (let waitedMs = 0; waitedMs < COLLECT_TIMEOUT_MS; waitedMs += 20) {
    const lease = tryAcquire(storage, 'ingest');
    if (lease !== undefined) return lease;
    await sleep(20);
  }
  throw new TsmanError('another tsman has been removing images for a minute', {
    hint: 'wait for it, or end it, and run the command again',
  });
}

function tryAcquire(storage: Storage, kind: LeaseKind): number | undefined {
  const { database } = storage;
  return inTransaction(database, () => {
    const others = dropDead(storage);
    const blocked = kind === 'collect' ? others.length > 0 : others.includes('collect');
    if (kind === 'collect') database.exec("DELETE FROM leases WHERE kind = 'garbage'");
    if (blocked && kind === 'ingest') return undefined;
    const insert = database.prepare('INSERT INTO leases (kind, pid, start_time) VALUES (?, ?, ?)');
    const { lastInsertRowid } = insert.run(
      blocked ? 'garbage' : kind,
      process.pid,
      startTimeOf(process.pid) ?? '',
    );
    return blocked ? undefined : Number(lastInsertRowid);
  });
}

function release(storage: Storage, lease: number): void {
  storage.database.prepare('DELETE FROM leases WHERE id = ?').run(lease);
}

/** Removes the leases of dead processes; returns the kinds that others hold. */
function dropDead(storage: Storage): LeaseKind[] {
  const rows = storage.database
    .prepare("SELECT id, kind, pid, start_time FROM leases WHERE kind <> 'garbage'")
    .all();
  const kinds: LeaseKind[] = [];
  for (const row of rows as unknown as {
    id: number;
    kind: LeaseKind;
    pid: number;
    start_time: string;
  }[]) {
    if (startTimeOf(row.pid) === row.start_time) kinds.push(row.kind);
    else release(storage, row.id);
  }
  return kinds;
}
