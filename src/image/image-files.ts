import * as fs from 'node:fs';
import { join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { ingestPath } from '../storage/blobs.ts';
import { COMPRESSION_HEAD_BYTES, decompressed, detectCompression } from '../storage/decompress.ts';
import type { Storage } from '../storage/storage.ts';
import { cleanName, indexTar, type TarMember } from './tar-index.ts';

/** The files of an image outside the store, in an archive or a directory, by their names there. */
export interface ImageFiles {
  has(name: string): boolean;
  size(name: string): number;
  read(name: string, limitBytes: number): Buffer;
  open(name: string): AsyncIterable<Uint8Array>;
  close(): void;
}

interface Section {
  readonly descriptor: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

const CHUNK_BYTES = 1 << 20;
const MAX_LINKS = 8;

/** A directory: no name may leave it, and what is read must be a plain file and no link. */
export function openImageDirectory(directory: string): ImageFiles {
  const find = (name: string): string => {
    const clean = cleanName(name);
    if (clean === '..' || clean.startsWith('../'))
      throw new TsmanError(`${JSON.stringify(name)} is outside the image's directory`);
    return join(directory, clean);
  };
  const section = <T>(name: string, use: (section: Section) => T): T => {
    const descriptor = openPlainFile(find(name), name);
    try {
      return use({ descriptor, offset: 0, sizeBytes: fs.fstatSync(descriptor).size });
    } finally {
      fs.closeSync(descriptor);
    }
  };
  return {
    has: (name) => fs.existsSync(find(name)),
    size: (name) => section(name, ({ sizeBytes }) => sizeBytes),
    read: (name, limitBytes) => section(name, (found) => readSection(found, name, limitBytes)),
    async *open(name) {
      const descriptor = openPlainFile(find(name), name);
      try {
        yield* readChunks({ descriptor, offset: 0, sizeBytes: fs.fstatSync(descriptor).size });
      } finally {
        fs.closeSync(descriptor);
      }
    },
    close: () => undefined,
  };
}

function openPlainFile(path: string, name: string): number {
  try {
    // O_NONBLOCK: a fifo in its place must not hang us.
    const descriptor = fs.openSync(
      path,
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    if (fs.fstatSync(descriptor).isFile()) return descriptor;
    fs.closeSync(descriptor);
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) throw missing(name);
    throw new TsmanError(`read ${path}`, { cause });
  }
  throw new TsmanError(`${path} is no plain file`);
}

/** An archive in a file; compressed ones, and streams, are first written out in the store's `ingest/`. */
export async function openImageArchive(
  storage: Storage,
  input: string | AsyncIterable<Uint8Array>,
): Promise<ImageFiles> {
  if (typeof input === 'string') {
    const descriptor = openInput(input);
    const head = readSection(
      {
        descriptor,
        offset: 0,
        sizeBytes: Math.min(COMPRESSION_HEAD_BYTES, fs.fstatSync(descriptor).size),
      },
      input,
      COMPRESSION_HEAD_BYTES,
    );
    if (detectCompression(head) === 'none') return archiveFiles(descriptor);
    fs.closeSync(descriptor);
    return openImageArchive(storage, fs.createReadStream(input, { highWaterMark: CHUNK_BYTES }));
  }
  return archiveFiles(await spool(storage, decompressed(input)));
}

function openInput(path: string): number {
  try {
    return fs.openSync(path, 'r');
  } catch (cause) {
    throw new TsmanError(`open ${path}`, { cause });
  }
}

/** Unlinked while still open: however we end, the kernel takes the space back. */
async function spool(storage: Storage, body: AsyncIterable<Uint8Array>): Promise<number> {
  const path = ingestPath(storage, 'archive');
  const descriptor = fs.openSync(path, 'wx+', 0o600);
  fs.unlinkSync(path);
  try {
    for await (const chunk of body) {
      for (let at = 0; at < chunk.length; ) at += fs.writeSync(descriptor, chunk, at);
    }
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function archiveFiles(descriptor: number): ImageFiles {
  const members = indexTar(descriptor);
  const find = (name: string): Section => ({ descriptor, ...resolve(members, name) });
  return {
    has: (name) => members.has(cleanName(name)),
    size: (name) => find(name).sizeBytes,
    read: (name, limitBytes) => readSection(find(name), name, limitBytes),
    open: (name) => readChunks(find(name)),
    close: () => fs.closeSync(descriptor),
  };
}

/** Older `docker save` links equal layers to each other; a link can mean a member and nothing else. */
function resolve(members: ReadonlyMap<string, TarMember>, name: string): TarMember {
  let member = members.get(cleanName(name));
  for (let links = 0; member?.linkTo !== undefined; links++) {
    if (links === MAX_LINKS)
      throw new TsmanError(`archive: too many links from ${JSON.stringify(name)}`);
    member = members.get(member.linkTo);
  }
  if (member === undefined) throw missing(name);
  return member;
}

function missing(name: string): TsmanError {
  return new TsmanError(`image has no file ${JSON.stringify(name.slice(0, 200))}`);
}

function readSection(
  { descriptor, offset, sizeBytes }: Section,
  name: string,
  limitBytes: number,
): Buffer {
  if (sizeBytes > limitBytes)
    throw new TsmanError(
      `${JSON.stringify(name.slice(0, 200))} has ${sizeBytes} bytes, the limit is ${limitBytes}`,
    );
  const bytes = Buffer.alloc(sizeBytes);
  const count = sizeBytes === 0 ? 0 : fs.readSync(descriptor, bytes, 0, sizeBytes, offset);
  return bytes.subarray(0, count);
}

async function* readChunks({ descriptor, offset, sizeBytes }: Section): AsyncIterable<Uint8Array> {
  for (let at = 0; at < sizeBytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - at));
    const count = fs.readSync(descriptor, chunk, 0, chunk.length, offset + at);
    if (count === 0) throw new TsmanError('archive is cut off');
    yield chunk.subarray(0, count);
    at += count;
  }
}
