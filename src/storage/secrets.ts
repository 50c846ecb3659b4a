import * as fs from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import type { Directories } from '../rootless/directories.ts';
import type { Storage } from './storage.ts';

/** A secret's record. Its content is a file of its own, 0600, and in no record. */
export interface Secret {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** As Podman's. */
export const SECRET_MAX_BYTES = 512_000;

function secretPath({ dataRoot }: Directories, id: string): string {
  return `${dataRoot}/secrets/${id}`;
}

function fromRow(row: Record<string, unknown>): Secret {
  return {
    id: String(row['id']),
    name: String(row['name']),
    createdAt: String(row['created_at']),
    updatedAt: String(row['updated_at']),
    labels: JSON.parse(String(row['labels'])) as Record<string, string>,
  };
}

/** All secrets, by name. */
export function listSecrets({ database }: Storage): Secret[] {
  return database.prepare('SELECT * FROM secrets ORDER BY name').all().map(fromRow);
}

/** The secret of this name or ID, or the only one whose ID begins so. @throws TsmanError */
export function findSecret(storage: Storage, text: string): Secret {
  const all = listSecrets(storage);
  const exact = all.find(({ name, id }) => name === text || id === text);
  if (exact !== undefined) return exact;
  const found = text === '' ? [] : all.filter(({ id }) => id.startsWith(text));
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new TsmanError(`no secret with name or ID ${JSON.stringify(text)}`, {
    hint: 'tsman secret ls lists them',
  });
}

/**
 * Stores a secret: content first, record last.
 * @param replace an existing one of the name gets this content, and a new ID
 * @throws TsmanError when the name is taken
 */
export function putSecret(
  storage: Storage,
  secret: { name: string; labels: Readonly<Record<string, string>>; content: Buffer },
  replace: boolean,
): Secret {
  const old = listSecrets(storage).find(({ name }) => name === secret.name);
  if (old !== undefined && !replace)
    throw new TsmanError(`secret ${secret.name} exists`, {
      hint: 'use --replace to change its content',
    });
  const id = randomHex(13).slice(0, 25);
  fs.mkdirSync(`${storage.directories.dataRoot}/secrets`, { recursive: true, mode: 0o700 });
  fs.writeFileSync(secretPath(storage.directories, id), secret.content, {
    mode: 0o600,
    flag: 'wx',
  });
  const now = new Date().toISOString();
  const record = { id, name: secret.name, createdAt: old?.createdAt ?? now, updatedAt: now };
  storage.database
    .prepare(
      'INSERT OR REPLACE INTO secrets (id, name, created_at, updated_at, labels) VALUES (?, ?, ?, ?, ?)',
    )
    .run(id, record.name, record.createdAt, now, JSON.stringify(secret.labels));
  if (old !== undefined) fs.rmSync(secretPath(storage.directories, old.id), { force: true });
  return { ...record, labels: secret.labels };
}

export function deleteSecret(storage: Storage, id: string): void {
  storage.database.prepare('DELETE FROM secrets WHERE id = ?').run(id);
  fs.rmSync(secretPath(storage.directories, id), { force: true });
}

export function readSecret(
  { directories }: Storage,
  { id, name }: Pick<Secret, 'id' | 'name'>,
): Buffer {
  try {
    return fs.readFileSync(secretPath(directories, id));
  } catch (cause) {
    throw new TsmanError(`read secret ${name}`, { cause });
  }
}
