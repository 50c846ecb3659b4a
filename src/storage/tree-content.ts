import { hasCode } from '../base/error.ts';
import type { FsAgent, FsData } from '../helper/fs-agent.ts';
import { TAR_BLOCK_BYTES } from '../oci/tar-header.ts';
import type { SparsePart } from '../oci/tar-sparse.ts';
import type { TarWriteEntry } from '../oci/tar-write.ts';

const ZEROS = Buffer.alloc(64 << 10);

/**
 * Exactly as many bytes as the header says, holes as zeros: a running container may change the file
 * meanwhile.
 */
export async function* exactContent(
  parts: AsyncIterable<FsData>,
  sizeBytes: number,
): AsyncGenerator<Buffer> {
  const place = { at: 0 };
  for await (const part of parts) yield* placed(part, place, sizeBytes);
  yield* zeros(sizeBytes - place.at);
}

/** As exactContent, of parts at hand. */
export function* exactParts(parts: readonly FsData[], sizeBytes: number): Generator<Buffer> {
  const place = { at: 0 };
  for (const part of parts) yield* placed(part, place, sizeBytes);
  yield* zeros(sizeBytes - place.at);
}

function* placed(
  { offset, bytes }: FsData,
  place: { at: number },
  sizeBytes: number,
): Generator<Buffer> {
  const start = Math.min(offset, sizeBytes);
  yield* zeros(start - place.at);
  const part = bytes.subarray(0, sizeBytes - start);
  yield part;
  place.at = start + part.length;
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= ZEROS.length)
    yield ZEROS.subarray(0, Math.min(left, ZEROS.length));
}

/** Waits for the first part; undefined when the file went, or became something else, since it was listed. */
export async function begun(
  parts: AsyncGenerator<FsData>,
): Promise<AsyncIterable<FsData> | undefined> {
  try {
    const first = await parts.next();
    return first.done === true ? noParts() : withFirst(first.value, parts);
  } catch (error) {
    return gone(error);
  }
}

/** As begun, for a file read at once. */
export async function unlessGone(
  parts: Promise<readonly FsData[]>,
): Promise<readonly FsData[] | undefined> {
  try {
    return await parts;
  } catch (error) {
    return gone(error);
  }
}

function gone(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EINVAL', 'ELOOP'].some((code) => hasCode(error, code)))
    throw error;
  return undefined;
}

async function* noParts(): AsyncGenerator<FsData> {}

async function* withFirst(first: FsData, rest: AsyncGenerator<FsData>): AsyncGenerator<FsData> {
  yield first;
  yield* rest;
}

export interface StoredContent {
  readonly header: TarWriteEntry;
  readonly content: AsyncIterable<FsData> | readonly FsData[];
}

/** Where a sparse file has content. It is read twice, but it has little. */
async function readSparseParts(found: AsyncIterable<FsData>): Promise<SparsePart[]> {
  const parts: SparsePart[] = [];
  for await (const { offset, bytes } of found) {
    const last = parts.at(-1);
    if (last !== undefined && last.offset + last.sizeBytes === offset)
      parts[parts.length - 1] = { ...last, sizeBytes: last.sizeBytes + bytes.length };
    else if (bytes.length > 0) parts.push({ offset, sizeBytes: bytes.length });
  }
  return parts;
}

/** GNU tar manual, "Storing Sparse Files", version 1.0: the map as decimal lines, then the parts. */
export async function sparseContent(
  agent: FsAgent,
  file: Buffer,
  header: TarWriteEntry,
): Promise<StoredContent | undefined> {
  const found = await begun(agent.startRead(file, 0, header.sizeBytes));
  if (found === undefined) return undefined;
  const parts = await readSparseParts(found);
  // The last part says where the file ends.
  const ended = [...parts, { offset: header.sizeBytes, sizeBytes: 0 }];
  const lines = ended.map(({ offset, sizeBytes }) => `${offset}\n${sizeBytes}\n`);
  const text = Buffer.from(`${ended.length}\n${lines.join('')}`);
  const map = Buffer.concat([text, Buffer.alloc(-text.length & (TAR_BLOCK_BYTES - 1))]);
  const storedBytes = parts.reduce((sum, part) => sum + part.sizeBytes, map.length);
  const slash = header.name.lastIndexOf('/') + 1;
  return {
    header: {
      ...header,
      name: `${header.name.slice(0, slash)}GNUSparseFile.0/${header.name.slice(slash)}`,
      sizeBytes: storedBytes,
      records: [
        ['GNU.sparse.major', '1'],
        ['GNU.sparse.minor', '0'],
        ['GNU.sparse.name', header.name],
        ['GNU.sparse.realsize', String(header.sizeBytes)],
      ],
    },
    content: readParts(agent, file, parts, map),
  };
}

async function* readParts(
  agent: FsAgent,
  file: Buffer,
  parts: readonly SparsePart[],
  map: Buffer,
): AsyncGenerator<FsData> {
  yield { offset: 0, bytes: map };
  let at = map.length;
  for (const part of parts) {
    const read = agent.startRead(file, part.offset, part.sizeBytes);
    for await (const { offset, bytes } of read) yield { offset: at + offset - part.offset, bytes };
    at += part.sizeBytes;
  }
}
