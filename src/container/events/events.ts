import * as fs from 'node:fs';
import { inTransaction } from '../../storage/database.ts';
import type { Storage } from '../../storage/storage.ts';
import type { Container } from '../record.ts';

/**
 * What happened, one JSON line each in `<data root>/events`. Monitors append `start` and `died`, the
 * commands append the rest; every line is one write with O_APPEND, so lines never mix and nobody has
 * to be running for events to be kept.
 */
export type EventAction =
  | 'create'
  | 'remove'
  | 'kill'
  | 'stop'
  | 'restart'
  | 'rename'
  | 'pause'
  | 'unpause'
  | 'update'
  | 'exec'
  | 'export'
  | 'commit'
  | 'connect'
  | 'disconnect'
  | 'cleanup';

/** Two files of this size at most: `events` and the one before it, `events.1`. */
const ROTATE_BYTES = 1 << 20;

export function eventsPath(storage: Pick<Storage, 'directories'>): string {
  return `${storage.directories.dataRoot}/events`;
}

/** Appends an event. Losing one is no reason to fail a command: a full disk is reported by what it stops. */
export function recordEvent(
  storage: Storage,
  action: EventAction,
  container: Pick<Container, 'id' | 'name' | 'spec'>,
  details: Readonly<Record<string, string>> = {},
): void {
  const { id, name, spec } = container;
  const { imageName: Image, labels } = spec;
  write(storage, { Type: 'container', Action: action, ID: id, Name: name, Image }, labels, details);
}

/** The same for a volume or secret; a volume's ID is its name. */
export function recordObjectEvent(
  storage: Storage,
  type: 'volume' | 'secret',
  action: 'create' | 'remove' | 'prune',
  {
    id,
    name,
    labels = {},
  }: { id: string; name: string; labels?: Readonly<Record<string, string>> },
): void {
  write(storage, { Type: type, Action: action, ID: id, Name: name }, labels, {});
}

function write(
  storage: Storage,
  facts: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>>,
  details: Readonly<Record<string, string>>,
): void {
  const timeNano = `${Date.now()}${String(process.hrtime.bigint() % 1_000_000n).padStart(6, '0')}`;
  const Labels = Object.keys(labels).length === 0 ? {} : { Labels: labels };
  const fields = { ...facts, ...Labels, ...details };
  // A number of 19 digits, which JSON.stringify cannot write.
  const line = `${JSON.stringify(fields).slice(0, -1)},"timeNano":${timeNano}}\n`;
  try {
    append(storage, line);
  } catch {
    // See above.
  }
}

function append(storage: Storage, line: string): void {
  const path = eventsPath(storage);
  const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
  const descriptor = fs.openSync(
    path,
    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
    0o600,
  );
  try {
    fs.writeSync(descriptor, line);
    if (fs.fstatSync(descriptor).size > ROTATE_BYTES) rotate(storage, path);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Under the database's write lock, and looked at again: two rotations at once would lose a whole file. */
function rotate(storage: Storage, path: string): void {
  inTransaction(storage.database, () => {
    const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > ROTATE_BYTES) fs.renameSync(path, `${path}.1`);
  });
}
