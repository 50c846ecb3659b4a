import type { Transform } from 'node:stream';
import { TsmanError } from '../base/error.ts';
import { nodeZlib } from '../base/late-modules.ts';
import { ZstdFrames } from '../oci/zstd-frames.ts';
import { throughProgram } from './decompress-program.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** How many bytes detectCompression needs. */
export const COMPRESSION_HEAD_BYTES = 6;
const CHUNK_BYTES = 256 << 10;
/** zstd's largest window without --ultra: a stream must not make us allocate gigabytes. */
const ZSTD_WINDOW_LOG_MAX = 27;
/** Output beyond this is measured against the input. */
const BOMB_FREE_BYTES = 1 << 30;
/** Real layers reach 3 to 10; gzip cannot exceed 1032. */
const BOMB_RATIO = 200;

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from('1f8b', 'hex')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['bzip2', Buffer.from('BZh')],
];

/** Told by the first bytes: registries' media types are often wrong, and Docker trusts the bytes too. */
export function detectCompression(head: Uint8Array): Compression {
  const [a, b, c, d] = head;
  // A skippable frame in front, as zstd:chunked and pzstd may write.
  if (a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd';
  return MAGIC.find(([, magic]) => magic.equals(head.subarray(0, magic.length)))?.[0] ?? 'none';
}

/** The bytes of a layer's tar archive, from the bytes of its blob. xz and bzip2 need the programs of that name. */
export async function* decompressed(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const opened = await detected(body);
  yield* decompress(opened.body, opened.compression);
}

/** Reads the first bytes of a body to see how it is compressed; they are still in front of the rest. */
export async function detected(
  body: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; body: AsyncIterable<Buffer> }> {
  const chunks = withHead(body, COMPRESSION_HEAD_BYTES);
  const first = await chunks.next();
  if (first.done === true) return { compression: 'none', body: chunks };
  return { compression: detectCompression(first.value), body: again(first.value, chunks) };
}

async function* again(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

/** As `decompressed`, of a body whose compression `detected` has told. */
export async function* decompress(
  body: AsyncIterable<Buffer>,
  compression: Compression,
): AsyncGenerator<Buffer> {
  if (compression === 'none') {
    yield* body;
    return;
  }
  const count = { inputBytes: 0, outputBytes: 0 };
  const isOwn = compression === 'gzip' || compression === 'zstd';
  const counted = counting(body, count);
  const chunks = isOwn ? throughZlib(counted, compression) : throughProgram(counted, compression);
  for await (const chunk of chunks) {
    count.outputBytes += chunk.length;
    if (count.outputBytes > BOMB_FREE_BYTES + BOMB_RATIO * count.inputBytes) throw bomb(count);
    yield chunk;
  }
}

async function* counting(
  body: AsyncIterable<Buffer>,
  count: { inputBytes: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    count.inputBytes += chunk.length;
    yield chunk;
  }
}

/** The same bytes as Buffers, the first of which has at least `size` of them if there are so many. */
async function* withHead(body: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const { buffer, byteOffset, length } of body) {
    const chunk: Buffer = Buffer.from(buffer, byteOffset, length);
    if (head === undefined) yield chunk;
    else {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
      if (head.length < size) continue;
      yield head;
      head = undefined;
    }
  }
  if (head !== undefined && head.length > 0) yield head;
}

/**
 * node:zlib works on another thread, so this runs beside the hashing and parsing of what it gives. It
 * handles several members (gzip) and frames (zstd) in a row and refuses garbage after gzip.
 */
async function* throughZlib(
  body: AsyncIterable<Buffer>,
  compression: 'gzip' | 'zstd',
): AsyncGenerator<Buffer> {
  const stream = createStream(compression);
  const feeding = feed(stream, body, compression);
  // A failure of the body destroys the stream, whose iteration then throws it.
  feeding.catch((error: Error) => stream.destroy(error));
  try {
    yield* stream as AsyncIterable<Buffer>;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && String(cause.code).startsWith('Z'))
      throw new TsmanError(`decompress ${compression}`, { cause });
    throw cause;
  } finally {
    stream.destroy();
    // What went wrong upstream has failed the stream, and was thrown from there.
    await feeding.catch(() => {});
  }
}

function bomb({
  inputBytes,
  outputBytes,
}: {
  inputBytes: number;
  outputBytes: number;
}): TsmanError {
  return new TsmanError(
    `refused as a decompression bomb: ${inputBytes} bytes became more than ${outputBytes}`,
  );
}

function createStream(compression: 'gzip' | 'zstd'): Transform {
  const options = { chunkSize: CHUNK_BYTES, highWaterMark: 4 * CHUNK_BYTES };
  if (compression === 'gzip') return nodeZlib().createGunzip(options);
  const params = { [nodeZlib().constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  return nodeZlib().createZstdDecompress({ ...options, params });
}

async function feed(
  stream: Transform,
  body: AsyncIterable<Buffer>,
  compression: 'gzip' | 'zstd',
): Promise<void> {
  const frames = compression === 'zstd' ? new ZstdFrames() : undefined;
  for await (const chunk of body) {
    if (stream.destroyed) return;
    frames?.write(chunk);
    if (!stream.write(chunk)) await roomIn(stream);
  }
  frames?.end();
  stream.end();
}

/** Resolves when the stream takes more, or never will. */
async function roomIn(stream: Transform): Promise<void> {
  if (stream.destroyed) return;
  const events = ['drain', 'close', 'error'];
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
