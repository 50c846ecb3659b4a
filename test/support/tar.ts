import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Header, pack } from 'tar-stream';

/** A file when there is content, otherwise what the header says. */
export interface TarEntry extends Partial<Header> {
  readonly name: string;
  readonly content?: string | Buffer;
}

/** Writes a tar archive with just these entries, in this order, whatever they say. */
export async function writeTar(path: string, entries: readonly TarEntry[]): Promise<void> {
  const archive = pack();
  const mtime = new Date('2024-01-01T00:00:00Z');
  for (const { content, ...header } of entries) archive.entry({ mtime, ...header }, content ?? '');
  archive.finalize();
  await pipeline(archive, createWriteStream(path));
}
