import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { randomHex } from '../base/random.ts';
import { type NewMember, writeTarFile, writeTarStream } from './tar-writer.ts';

/** Writes an archive to a path: a plain file by way of a name beside it, a fifo or device from the front. */
export async function writeArchive(path: string, members: Iterable<NewMember>): Promise<void> {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true)
    throw new TsmanError(`${path} is a directory`, { hint: 'the -dir formats are written to one' });
  if (stat !== undefined && !stat.isFile()) await writeOther(path, members);
  else await writeFile(path, members);
}

/** Written beside and renamed: an archive with its final name is whole. */
async function writeFile(path: string, members: Iterable<NewMember>): Promise<void> {
  const aside = join(dirname(path), `.tsman-save-${randomHex(6)}`);
  const descriptor = fs.openSync(aside, 'wx', 0o644);
  try {
    await writeTarFile(descriptor, members);
    fs.renameSync(aside, path);
  } catch (cause) {
    fs.rmSync(aside, { force: true });
    throw new TsmanError(`write ${path}`, { cause });
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A fifo, /dev/stdout, a tape: written from the front. */
async function writeOther(path: string, members: Iterable<NewMember>): Promise<void> {
  const descriptor = fs.openSync(path, 'w');
  const stream = fs.createWriteStream(path, { fd: descriptor });
  const failed = new Promise<never>((_, reject) => stream.on('error', reject));
  const ended = async (): Promise<void> => {
    await writeTarStream(stream, members);
    await new Promise<void>((resolve) => stream.end(resolve));
  };
  await Promise.race([failed, ended()]);
}

/** Writes the members as files of a directory, which must be empty or missing. */
export async function writeDirectory(
  directory: string,
  members: Iterable<NewMember>,
): Promise<void> {
  if (fs.existsSync(directory) && fs.readdirSync(directory).length > 0)
    throw new TsmanError(`${directory} is not empty`);
  for (const { name, open } of members) {
    const path = join(directory, name);
    fs.mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (name.endsWith('/')) continue;
    const descriptor = fs.openSync(path, 'wx', 0o644);
    try {
      for await (const chunk of open())
        for (let at = 0; at < chunk.length; ) at += fs.writeSync(descriptor, chunk, at);
    } finally {
      fs.closeSync(descriptor);
    }
  }
}
