import type { Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { ensurePrivateDirectory, writeAtomically } from '../base/file.ts';
import { nodeCrypto, nodeUtil } from '../base/late-modules.ts';
import { startTimeOf } from '../base/process.ts';
import { randomHex } from '../base/random.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import type { Storage } from './storage.ts';

/**
 * The OCI image layout in `<data root>/images` (image-spec image-layout.md): every manifest, config
 * and layer as it came, named by its digest. skopeo and umoci can read it.
 *
 * A blob has its name only when it is whole and on the disk: written to `ingest/`, hashed, synced,
 * renamed. So whoever sees `blobs/sha256/X` may trust it, also after a power cut. The directory
 * itself is not synced: a rename that a power cut forgets leaves a missing blob, which putImage's
 * record (not synced either, see database.ts) does not outlive by more than a re-pull.
 */
const layoutsMade = new Set<string>();

/** The layout's directory, as in `skopeo inspect oci:DIR:NAME`. Made at first use. */
export function imageLayout(storage: Storage): string {
  const layout = join(storage.directories.dataRoot, 'images');
  if (layoutsMade.has(layout)) return layout;
  if (!fs.existsSync(join(layout, 'oci-layout'))) {
    ensurePrivateDirectory(join(layout, 'blobs/sha256'));
    writeAtomically(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  }
  layoutsMade.add(layout);
  return layout;
}

/** Where the blob is, or would be. */
export function blobPath(storage: Storage, digest: Digest): string {
  return join(imageLayout(storage), 'blobs/sha256', digestHex(digest));
}

export function hasBlob(storage: Storage, digest: Digest): boolean {
  return fs.existsSync(blobPath(storage, digest));
}

/** The blob's size in bytes; undefined when it is not there. */
export function blobSize(storage: Storage, digest: Digest): number | undefined {
  return fs.statSync(blobPath(storage, digest), { throwIfNoEntry: false })?.size;
}

/**
 * Reads a manifest or a config whole and checks its digest: these few kilobytes decide what runs.
 * @throws TsmanError when it is missing, larger than the limit, or not what its name says
 */
export function readSmallBlob(
  storage: Storage,
  digest: Digest,
  limitBytes = SMALL_BLOB_BYTES,
): Buffer {
  const bytes = readUnchecked(storage, digest, limitBytes);
  if (sha256(bytes) !== digest) throw damaged(digest);
  return bytes;
}

/** The same for who starts a container: WebCrypto takes half a millisecond, node:crypto two to load. */
export async function loadSmallBlob(storage: Storage, digest: Digest): Promise<Buffer> {
  const bytes = readUnchecked(storage, digest, SMALL_BLOB_BYTES);
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', bytes));
  if (`sha256:${hash.toString('hex')}` !== digest) throw damaged(digest);
  return bytes;
}

const SMALL_BLOB_BYTES = 4 << 20;

function readUnchecked(storage: Storage, digest: Digest, limitBytes: number): Buffer<ArrayBuffer> {
  const sizeBytes = blobSize(storage, digest);
  if (sizeBytes === undefined) {
    throw new TsmanError(`blob ${digest} is missing`, { hint: 'pull or load the image again' });
  }
  if (sizeBytes > limitBytes)
    throw new TsmanError(`blob ${digest} has ${sizeBytes} bytes, the limit is ${limitBytes}`);
  return fs.readFileSync(blobPath(storage, digest));
}

function damaged(digest: Digest): TsmanError {
  return new TsmanError(`blob ${digest} is damaged`, {
    hint: 'remove the image and pull or load it again',
  });
}

/** Stores a manifest or a config and returns its digest. */
export function writeSmallBlob(storage: Storage, bytes: Uint8Array): Digest {
  const digest = sha256(bytes);
  if (!hasBlob(storage, digest)) writeAtomically(blobPath(storage, digest), bytes, 0o644);
  return digest;
}

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${nodeCrypto().createHash('sha256').update(bytes).digest('hex')}`;
}

/**
 * Takes a blob's bytes as they come. `write` ..., `finish()`; or `seal()` and later `commit()` where
 * the name must wait for something else; or `abort()`. Writes go to the page cache and are
 * synchronous on purpose: a promise for each chunk costs more than the copy.
 */
export class BlobWriter {
  /** The file's place until `commit`; it may be read after `seal`. */
  readonly path: string;
  sizeBytes = 0;
  readonly #storage: Storage;
  readonly #expected: { digest?: Digest | undefined; sizeBytes?: number | undefined };
  readonly #hash: Hash = nodeCrypto().createHash('sha256');
  #descriptor: number | undefined;
  #digest: Digest | undefined;

  /** @param expected what the blob's descriptor says; either may be unknown */
  constructor(
    storage: Storage,
    expected: { digest?: Digest | undefined; sizeBytes?: number | undefined } = {},
  ) {
    this.#storage = storage;
    this.#expected = expected;
    // With its digest, so that a pull killed half-way can go on; partial-blobs.ts.
    this.path = ingestPath(storage, blobKind(expected.digest));
    this.#descriptor = fs.openSync(this.path, 'wx', 0o644);
  }

  /** @throws TsmanError at the first byte too many: an endless body must not fill the disk */
  write(chunk: Uint8Array): void {
    if (this.#descriptor === undefined) throw new Error('blob is sealed');
    this.sizeBytes += chunk.length;
    const { sizeBytes } = this.#expected;
    if (sizeBytes !== undefined && this.sizeBytes > sizeBytes) {
      throw new TsmanError(`${this.#name()}: more than the ${sizeBytes} bytes its descriptor says`);
    }
    this.#hash.update(chunk);
    try {
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(this.#descriptor, chunk, at);
    } catch (cause) {
      throw new TsmanError(`${this.#name()}: write in ${dirname(this.path)}`, { cause });
    }
  }

  /** Checks size and digest and brings the bytes to the disk. */
  async seal(): Promise<Digest> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) throw new Error('blob is sealed');
    const digest: Digest = `sha256:${this.#hash.digest('hex')}`;
    const { sizeBytes, digest: wanted } = this.#expected;
    if (sizeBytes !== undefined && this.sizeBytes !== sizeBytes) {
      throw new TsmanError(`${this.#name()}: ended after ${this.sizeBytes} of ${sizeBytes} bytes`);
    }
    if (wanted !== undefined && digest !== wanted)
      throw new TsmanError(`blob ${wanted}: content has digest ${digest}`);
    await nodeUtil().promisify(fs.fdatasync)(descriptor);
    this.#close();
    this.#digest = digest;
    return digest;
  }

  /** Gives the sealed blob its name. */
  commit(): Digest {
    if (this.#digest === undefined) throw new Error('blob is not sealed');
    fs.renameSync(this.path, blobPath(this.#storage, this.#digest));
    return this.#digest;
  }

  async finish(): Promise<Digest> {
    await this.seal();
    return this.commit();
  }

  /** Removes what was written; harmless after `commit`. */
  abort(): void {
    this.#close();
    fs.rmSync(this.path, { force: true });
  }

  #close(): void {
    if (this.#descriptor !== undefined) fs.closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #name(): string {
    return this.#expected.digest === undefined ? 'blob' : `blob ${this.#expected.digest}`;
  }
}

/** A new name in `<data root>/ingest`: `<pid>-<random>.<kind>`, so that a dead writer's leavings are known. */
export function ingestPath(storage: Storage, kind: string): string {
  const directory = join(storage.directories.dataRoot, 'ingest');
  ensurePrivateDirectory(directory);
  return join(directory, `${process.pid}-${randomHex(8)}.${kind}`);
}

/** The ending of a blob's file in `ingest/`. */
export function blobKind(digest: Digest | undefined): string {
  return digest === undefined ? 'blob' : `${digestHex(digest)}.blob`;
}

/** Removes what killed processes left in `ingest/`. A reused pid only delays that. */
export function sweepIngest(storage: Storage): void {
  const directory = join(storage.directories.dataRoot, 'ingest');
  if (!fs.existsSync(directory)) return;
  for (const name of fs.readdirSync(directory)) {
    const pid = Number.parseInt(name, 10);
    if (startTimeOf(pid) !== undefined) continue;
    removeLeftover(join(directory, name));
  }
}

function removeLeftover(path: string): void {
  try {
    fs.rmSync(path, { force: true, recursive: true });
  } catch (error) {
    // A half-unpacked tree may belong to subordinate ids; the layers' own sweep removes those.
    if (!hasCode(error, 'EACCES') && !hasCode(error, 'EPERM')) throw error;
  }
}
