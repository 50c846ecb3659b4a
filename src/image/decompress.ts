import { spawn } from 'node:child_process';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { hasCode, TsmanError } from '../base/error.ts';

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', Buffer.from('BZh')],
];

/** Tells the compression by the first bytes; names and media types lie. */
export function detectCompression(head: Uint8Array): Compression {
  return MAGIC.find(([, magic]) => magic.equals(head.subarray(0, magic.length)))?.[0] ?? 'none';
}

/** Reads the first bytes of a body and gives them back in front of the rest. */
export async function peek(
  body: AsyncIterable<Uint8Array>,
): Promise<{ compression: Compression; body: AsyncIterable<Uint8Array> }> {
  const chunks = body[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  for (let length = 0; length < 6; ) {
    const { value, done } = await chunks.next();
    if (done === true) break;
    first.push(value);
    length += value.length;
  }
  const head = Buffer.concat(first);
  return { compression: detectCompression(head), body: withHead(head, chunks) };
}

async function* withHead(
  head: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncIterable<Uint8Array> {
  if (head.length > 0) yield head;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** The uncompressed bytes. xz and bzip2 need the programs of that name. */
export function decompress(
  body: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncIterable<Uint8Array> {
  switch (compression) {
    case 'none':
      return body;
    case 'gzip':
      return through(body, createGunzip());
    case 'zstd':
      return through(body, createZstdDecompress());
    case 'xz':
    case 'bzip2':
      return throughProgram(body, compression);
  }
}

async function* through(
  body: AsyncIterable<Uint8Array>,
  stream: NodeJS.ReadWriteStream & Readable,
): AsyncIterable<Uint8Array> {
  const output = new PassThrough({ highWaterMark: 1 << 20 });
  const done = pipeline(body, stream, output);
  // Awaited below; without this an early failure counts as unhandled meanwhile.
  done.catch(() => undefined);
  try {
    yield* output;
    await done;
  } catch (cause) {
    throw new TsmanError('decompress', { cause });
  } finally {
    output.destroy();
  }
}

async function* throughProgram(
  body: AsyncIterable<Uint8Array>,
  program: string,
): AsyncIterable<Uint8Array> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  ended.catch(() => undefined);
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint = `${complaint}${text}`.slice(0, 500);
  });
  const fed = pipeline(body, child.stdin);
  fed.catch(() => undefined);
  try {
    yield* child.stdout;
    if ((await ended) !== 0) throw new TsmanError(`${program}: ${complaint.trim()}`);
    await fed;
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT')) throw cause;
    throw new TsmanError(`${program} is not installed`, {
      cause,
      hint: `install ${program}, or decompress the file first`,
    });
  } finally {
    child.kill();
  }
}
