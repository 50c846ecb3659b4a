import { TsmanError } from '../base/error.ts';
import type { Digest } from '../oci/digest.ts';
import { type Descriptor, MEDIA_TYPE } from '../oci/image.ts';
import { readSmallBlob, writeSmallBlob } from './blobs.ts';
import { inTransaction } from './database.ts';
import type { Storage } from './storage.ts';

/** A list's entry: a manifest and the machines it is for. */
export interface ListEntry extends Omit<Descriptor, 'platform'> {
  readonly platform: ListPlatform;
}

export interface ListPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly features?: readonly string[];
}

export interface ListIndex {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly manifests: readonly ListEntry[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** A multi-platform image made here: its name, and its index, which is a blob of ours. */
export interface ManifestList {
  /** A full reference. */
  readonly name: string;
  readonly digest: Digest;
  readonly index: ListIndex;
}

export function findManifestList(storage: Storage, name: string): ManifestList | undefined {
  const row = storage.database
    .prepare('SELECT digest FROM manifest_lists WHERE name = ?')
    .get(name);
  if (row === undefined) return undefined;
  const digest = String(row['digest']) as Digest;
  // Written by us, and checked against its digest.
  return {
    name,
    digest,
    index: JSON.parse(readSmallBlob(storage, digest).toString()) as ListIndex,
  };
}

/** @throws TsmanError when the name is taken and `replace` is not given */
export function createManifestList(
  storage: Storage,
  name: string,
  options: { readonly replace: boolean; readonly annotations: Readonly<Record<string, string>> },
): ManifestList {
  if (!options.replace && findManifestList(storage, name) !== undefined)
    throw new TsmanError(`manifest list ${name} exists`, { hint: 'use --amend to add to it' });
  const { annotations } = options;
  return saveManifestList(storage, name, {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE.ociIndex,
    manifests: [],
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  });
}

/** Gives the name this content. */
export function saveManifestList(storage: Storage, name: string, index: ListIndex): ManifestList {
  const digest = writeSmallBlob(storage, Buffer.from(JSON.stringify(index)));
  inTransaction(storage.database, () =>
    storage.database
      .prepare(
        `INSERT INTO manifest_lists (name, digest) VALUES (?, ?)
         ON CONFLICT (name) DO UPDATE SET digest = excluded.digest`,
      )
      .run(name, digest),
  );
  return { name, digest, index };
}

/** @returns false when there is none */
export function removeManifestList({ database }: Storage, name: string): boolean {
  return database.prepare('DELETE FROM manifest_lists WHERE name = ?').run(name).changes > 0;
}
