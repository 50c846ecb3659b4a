import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { FsEntry } from '../../src/helper/fs-protocol.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { engineUserns } from '../../src/rootless/id-map.ts';
import { openFsAgent } from '../../src/rootless/rootfs-agent.ts';
import {
  ingestLayer,
  type LayerSource,
  type LayerTarget,
  layerPath,
} from '../../src/storage/layers.ts';
import { openStorage } from '../../src/storage/storage.ts';

/** A store of its own for a test that needs no `tsman`, only the rooms below it. */
export async function withLayerTarget(
  body: (target: LayerTarget, scratch: string) => Promise<void>,
): Promise<void> {
  const scratch = fs.mkdtempSync('/var/tmp/l');
  const directories = { dataRoot: join(scratch, 'd'), runRoot: join(scratch, 'r') };
  for (const path of Object.values(directories)) fs.mkdirSync(path, { mode: 0o700 });
  const target = { storage: openStorage(directories), userns: engineUserns() };
  try {
    await body(target, scratch);
    // Whatever happened, no plan of an agent may stay.
    const plans = fs.readdirSync(directories.runRoot).filter((name) => name.endsWith('.plan'));
    if (plans.length > 0) throw new Error(`plans left behind: ${plans}`);
  } finally {
    const agent = openFsAgent({ userns: target.userns, directories }, directories.dataRoot);
    for (const name of fs.readdirSync(directories.dataRoot)) agent.remove(name);
    await agent.sync();
    await agent.close();
    target.storage.database.close();
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** A header's fields as they go into the archive, unchecked: hostile ones too. Text is latin1. */
export interface RawEntry {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly content?: string | Buffer;
  /** Said in the header, whatever the content. */
  readonly size?: number;
  readonly device?: readonly [number, number];
  readonly pax?: Readonly<Record<string, string>>;
}

/** An archive of just these entries. */
export function rawTar(...entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(rawEntry), Buffer.alloc(1024)]);
}

function rawEntry(entry: RawEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? '');
  const blocks = [header(entry, entry.size ?? content.length), padded(content)];
  if (entry.pax === undefined) return blocks;
  const records = Buffer.concat(Object.entries(entry.pax).map(paxRecord));
  return [header({ name: 'pax', type: 'x' }, records.length), padded(records), ...blocks];
}

function paxRecord([key, value]: [string, string]): Buffer {
  const text = Buffer.from(` ${key}=${value}\n`, 'latin1');
  let length = text.length + 1;
  while (String(length).length + text.length !== length) length++;
  return Buffer.concat([Buffer.from(String(length)), text]);
}

function header(entry: RawEntry, size: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, digits: number): number =>
    block.write(value.toString(8).padStart(digits, '0'), at);
  block.write(entry.name.slice(0, 100), 0, 'latin1');
  octal(entry.mode ?? (entry.type === '5' ? 0o755 : 0o644), 100, 7);
  octal(entry.uid ?? 0, 108, 7);
  octal(entry.gid ?? 0, 116, 7);
  octal(size, 124, 11);
  octal(entry.mtime ?? 1_700_000_000, 136, 11);
  block.write(entry.type ?? '0', 156);
  block.write(entry.link ?? '', 157, 'latin1');
  block.write('ustar\u000000', 257);
  const [major, minor] = entry.device ?? [0, 0];
  octal(major, 329, 7);
  octal(minor, 337, 7);
  block.fill(' ', 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc(-content.length & 511)]);
}

export function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** What an image would say of this blob. */
export function layerSource(blob: Buffer, tar: Buffer): LayerSource {
  const descriptor = { mediaType: 'any', digest: sha256(blob), size: blob.length };
  return { descriptor, diffID: sha256(tar) };
}

/** The bytes in pieces that end at awkward places. */
export async function* inChunks(bytes: Buffer, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Takes the archive as a layer and lists it: path (latin1) to entry. */
export async function ingest(
  target: LayerTarget,
  tar: Buffer,
  blob = tar,
): Promise<Map<string, FsEntry>> {
  const layer = layerSource(blob, tar);
  await ingestLayer(target, inChunks(blob), layer);
  return listTree(target, layerPath(target.storage, layer.diffID));
}

export async function listTree(target: LayerTarget, root: string): Promise<Map<string, FsEntry>> {
  const { userns, storage } = target;
  const agent = openFsAgent({ userns, directories: storage.directories }, root);
  const entries = new Map<string, FsEntry>();
  for await (const entry of agent.walk('')) entries.set(entry.path.toString('latin1'), entry);
  await agent.close();
  return entries;
}

/** A file's content, holes as zeros. */
export async function readTreeFile(
  target: LayerTarget,
  root: string,
  path: string,
): Promise<Buffer> {
  const { userns, storage } = target;
  const agent = openFsAgent({ userns, directories: storage.directories }, root);
  const parts = [];
  for await (const part of agent.readFile(path)) parts.push(part);
  await agent.close();
  const content = Buffer.alloc(Math.max(0, ...parts.map((it) => it.offset + it.bytes.length)));
  for (const { offset, bytes } of parts) bytes.copy(content, offset);
  return content;
}
