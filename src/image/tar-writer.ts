import { once } from 'node:events';
import * as fs from 'node:fs';
import type { Writable } from 'node:stream';
import { TsmanError } from '../base/error.ts';

const BLOCK = 512;

/** A member to write. Where only reading tells the size, `sizeBytes` is undefined. */
export interface NewMember {
  readonly name: string;
  readonly sizeBytes: number | undefined;
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** A directory; its name ends with a slash. skopeo without root cannot make the ones an archive leaves out. */
export function directoryMember(name: string): NewMember {
  return { name, sizeBytes: 0, async *open() {} };
}

/** A member whose content is at hand. */
export function textMember(name: string, content: string | Uint8Array): NewMember {
  const bytes = Buffer.from(content);
  return {
    name,
    sizeBytes: bytes.length,
    async *open() {
      yield bytes;
    },
  };
}

/** Writes an archive to a file that can be written at any place: a size found late goes back into its header. */
export async function writeTarFile(
  descriptor: number,
  members: Iterable<NewMember>,
): Promise<void> {
  let at = 0;
  const put = (bytes: Uint8Array): void => {
    for (let done = 0; done < bytes.length; )
      done += fs.writeSync(descriptor, bytes, done, bytes.length - done, at + done);
    at += bytes.length;
  };
  for (const member of members) {
    const headerAt = at;
    put(header(member.name, member.sizeBytes ?? 0));
    for await (const chunk of member.open()) put(chunk);
    const sizeBytes = at - headerAt - BLOCK;
    put(padding(sizeBytes));
    const behind = at;
    at = headerAt;
    put(header(member.name, sizeBytes));
    at = behind;
  }
  put(Buffer.alloc(2 * BLOCK));
}

/** Writes an archive to a pipe; members of unknown size are read twice. */
export async function writeTarStream(
  output: Writable,
  members: Iterable<NewMember>,
): Promise<void> {
  const put = async (bytes: Uint8Array): Promise<void> => {
    if (!output.write(bytes)) await once(output, 'drain');
  };
  for (const member of members) {
    const sizeBytes = member.sizeBytes ?? (await countBytes(member.open()));
    await put(header(member.name, sizeBytes));
    let left = sizeBytes;
    for await (const chunk of member.open()) {
      left -= chunk.length;
      if (left >= 0) await put(chunk);
    }
    // Its header is out already: what follows would be read as something else.
    if (left !== 0) throw new TsmanError(`${member.name} has not the ${sizeBytes} bytes it should`);
    await put(padding(sizeBytes));
  }
  await put(Buffer.alloc(2 * BLOCK));
}

async function countBytes(body: AsyncIterable<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of body) sizeBytes += chunk.length;
  return sizeBytes;
}

function padding(sizeBytes: number): Buffer {
  return Buffer.alloc((BLOCK - (sizeBytes % BLOCK)) % BLOCK);
}

/** A ustar header for a plain file or a directory of root, dated 1970: equal images make equal archives. */
function header(name: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(BLOCK);
  bytes.write(name, 0, 100, 'utf8');
  const isDirectory = name.endsWith('/');
  bytes.write(isDirectory ? '0000755' : '0000644', 100, 'latin1');
  bytes.write('0000000', 108, 'latin1');
  bytes.write('0000000', 116, 'latin1');
  // Above 8 GiB, GNU's binary form; `1` in the top bit says so.
  if (sizeBytes >= 8 ** 11) {
    bytes.writeUInt8(0x80, 124);
    bytes.writeBigUInt64BE(BigInt(sizeBytes), 128);
  } else bytes.write(sizeBytes.toString(8).padStart(11, '0'), 124, 'latin1');
  bytes.write('00000000000\0', 136, 'latin1');
  bytes.write(`        ${isDirectory ? '5' : '0'}`, 148, 'latin1');
  bytes.write('ustar\u000000', 257, 'latin1');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}
