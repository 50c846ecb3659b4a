import { TsmanError } from '../base/error.ts';
import type { Digest } from '../oci/digest.ts';
import {
  formatReference,
  hasRegistry,
  localCandidates,
  parseReference,
  repositoryName,
} from '../oci/reference.ts';
import { getImage, type ImageRecord } from './images.ts';
import type { Storage } from './storage.ts';

const ID_PREFIX = /^[0-9a-f]{1,64}$/;

/**
 * Finds an image by what the user typed: a name (short names are tried as localhost/NAME, then
 * Docker Hub's, then any registry's when only one has it), `name@sha256:...`, or an ID or its
 * beginning, with or without `sha256:`.
 * @throws TsmanError when it means more than one image
 */
export function findImage(storage: Storage, nameOrID: string): ImageRecord | undefined {
  const text = nameOrID.startsWith('sha256:') ? nameOrID.slice('sha256:'.length) : nameOrID;
  const isIDOnly = text !== nameOrID || text.length === 64;
  const found = (isIDOnly ? undefined : byName(storage, nameOrID)) ?? byPrefix(storage, text);
  return found === undefined ? undefined : getImage(storage, found.id, found.manifest);
}

/** As findImage. @throws TsmanError also when there is none */
export function requireImage(storage: Storage, nameOrID: string): ImageRecord {
  const image = findImage(storage, nameOrID);
  if (image !== undefined) return image;
  throw new TsmanError(`${nameOrID}: image not known`, {
    hint: 'see tsman images, or pull it first',
  });
}

/** Some image with this layer. */
export function imageWithLayer(storage: Storage, diffID: Digest): ImageRecord | undefined {
  const row = storage.database
    .prepare('SELECT manifest_digest FROM image_layers WHERE diff_id = ? LIMIT 1')
    .get(diffID);
  return row === undefined
    ? undefined
    : imageWithManifest(storage, row['manifest_digest'] as Digest);
}

/** The image that has this manifest, as it has it. */
export function imageWithManifest(storage: Storage, digest: Digest): ImageRecord | undefined {
  const row = storage.database
    .prepare('SELECT image_id FROM image_manifests WHERE digest = ?')
    .get(digest);
  return row === undefined ? undefined : getImage(storage, String(row['image_id']), digest);
}

/** The recorded name that the text means, if the image was found by a name and not by an ID. */
export function matchedName(image: ImageRecord, text: string): string | undefined {
  if (!isReference(text)) return undefined;
  const wanted = localCandidates(text).map(formatReference);
  return (
    wanted.find((name) => image.names.includes(name)) ??
    image.names.find((name) => name.endsWith(`/${withTag(text)}`))
  );
}

/** An image's ID, and which of its manifests is meant. */
interface Found {
  readonly id: string;
  readonly manifest?: Digest;
}

function byName(storage: Storage, text: string): Found | undefined {
  if (!isReference(text)) {
    // Not a reference and no ID either: say what is wrong with it.
    if (!ID_PREFIX.test(text)) parseReference(text);
    return undefined;
  }
  const get = storage.database.prepare(
    'SELECT image_id, manifest_digest FROM image_names WHERE name = ?',
  );
  for (const candidate of localCandidates(text)) {
    const row = get.get(formatReference(candidate));
    if (row !== undefined) return found(row);
    const byDigest =
      candidate.digest === undefined
        ? undefined
        : byRepositoryDigest(storage, candidate.digest, repositoryName(candidate));
    if (byDigest !== undefined) return byDigest;
  }
  return hasRegistry(text) ? undefined : byAnyRegistry(storage, withTag(text));
}

/** `name@sha256:...` means the manifest with that digest, under any tag of that name. */
function byRepositoryDigest(
  storage: Storage,
  digest: string,
  repository: string,
): Found | undefined {
  const rows = storage.database
    .prepare('SELECT name, image_id, manifest_digest FROM image_names WHERE manifest_digest = ?')
    .all(digest);
  const row = rows.find(({ name }) => repositoryName(parseReference(String(name))) === repository);
  return row === undefined ? undefined : found(row);
}

/** Podman finds `debian` pulled as localhost:5000/debian, too. */
function byAnyRegistry(storage: Storage, suffix: string): Found | undefined {
  const rows = storage.database
    .prepare(
      "SELECT name, image_id, manifest_digest FROM image_names WHERE name LIKE '%/' || ? ESCAPE '\\'",
    )
    .all(suffix.replace(/[\\%_]/g, '\\$&'));
  const ids = new Set(rows.map((row) => String(row['image_id'])));
  if (ids.size > 1) {
    throw new TsmanError(`${suffix} may be ${rows.map((row) => row['name']).join(' or ')}`, {
      hint: 'give the full name',
    });
  }
  return rows[0] === undefined ? undefined : found(rows[0]);
}

function found(row: Record<string, unknown>): Found {
  return { id: String(row['image_id']), manifest: row['manifest_digest'] as Digest };
}

function byPrefix(storage: Storage, prefix: string): Found | undefined {
  if (!ID_PREFIX.test(prefix)) return undefined;
  const rows = storage.database
    .prepare('SELECT id FROM images WHERE id >= ? AND id < ? LIMIT 2')
    .all(prefix, `${prefix}g`);
  if (rows.length > 1)
    throw new TsmanError(`${prefix} is the beginning of more than one image ID`, {
      hint: 'give more digits',
    });
  return rows[0] === undefined ? undefined : { id: String(rows[0]['id']) };
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof TsmanError) return false;
    throw error;
  }
}

function withTag(text: string): string {
  const { tag, digest } = parseReference(text);
  return tag === undefined && digest === undefined ? `${text}:latest` : text;
}
