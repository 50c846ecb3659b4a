import type { Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, join } from 'node:path';
import { hasCode, TsmanError } from '../base/error.ts';
import { nodeCrypto } from '../base/late-modules.ts';
import type { FsAgent } from '../helper/fs-agent.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { openFsAgent } from '../rootless/rootfs-agent.ts';
import { BlobWriter, blobPath, blobSize } from './blobs.ts';
import { decompressed } from './decompress.ts';
import { recordLayerSize } from './layer-sizes.ts';
import { LayerUnpacker } from './layer-tar.ts';
import { discard, type LayerTarget, layersDirectory, makePartial } from './partials.ts';
import type { Storage } from './storage.ts';

export { type LayerTarget, sweepLeftovers } from './partials.ts';

/*
 * One pass: the compressed bytes are hashed and written to a blob, decompressed on another thread,
 * hashed again (the diffID), parsed, and sent to the rootfs agent, which makes the files meanwhile.
 * Nothing has a name in the store until size, digest and diffID are what the image says.
 */

export interface LayerSource {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
}

const READ_BYTES = 512 << 10;

/** True when the layer is there, unpacked. */
export function hasLayer(storage: Storage, diffID: Digest): boolean {
  return fs.existsSync(layerPath(storage, diffID));
}

/** Where the layer's unpacked tree is, or would be. */
export function layerPath(storage: Storage, diffID: Digest): string {
  return join(storage.directories.dataRoot, 'layers', digestHex(diffID));
}

/**
 * Takes a layer's blob as it comes, stores and unpacks it.
 * @throws TsmanError when it is not what `layer` says, or hostile; then nothing of it is kept
 */
export async function ingestLayer(
  target: LayerTarget,
  body: AsyncIterable<Uint8Array>,
  layer: LayerSource,
  onBytes: (count: number) => void = () => {},
): Promise<void> {
  const { digest, size } = layer.descriptor;
  const blob = new BlobWriter(target.storage, { digest, sizeBytes: size });
  try {
    const stored = tee(body, (chunk) => {
      blob.write(chunk);
      onBytes(chunk.length);
    });
    const sealBlob = async (): Promise<void> => {
      await blob.seal();
    };
    // The same files, compressed in another way: unpacked once is enough.
    if (hasLayer(target.storage, layer.diffID)) await checkLayer(stored, layer, sealBlob);
    else await unpackLayer(target, stored, layer, sealBlob);
    blob.commit();
  } finally {
    blob.abort();
  }
}

/** Unpacks a layer whose blob is in the store; verifies both digests again. */
export async function unpackStoredLayer(target: LayerTarget, layer: LayerSource): Promise<void> {
  const { body, check } = storedBody(target.storage, layer.descriptor.digest);
  await unpackLayer(target, body, layer, check);
}

/** The same into a directory that `makePartial` made, which is left for the caller to use and to discard. */
export async function unpackStoredAside(
  target: LayerTarget,
  layer: LayerSource,
  partial: string,
): Promise<void> {
  const { body, check } = storedBody(target.storage, layer.descriptor.digest);
  await unpackAside(target, partial, { body, diffID: layer.diffID, check });
}

function storedBody(
  storage: Storage,
  digest: Digest,
): { body: AsyncIterable<Uint8Array>; check: () => Promise<void> } {
  if (blobSize(storage, digest) === undefined) throw new TsmanError(`blob ${digest} is missing`);
  const file = fs.createReadStream(blobPath(storage, digest), { highWaterMark: READ_BYTES });
  const hash = nodeCrypto().createHash('sha256');
  const check = async (): Promise<void> => checkDigest(`blob ${digest}`, digest, hash);
  return { body: tee(file, (chunk) => hash.update(chunk)), check };
}

/** Removes an unpacked layer: out of the store at once, then file by file. */
export async function removeLayer(target: LayerTarget, diffID: Digest): Promise<void> {
  if (hasLayer(target.storage, diffID)) await discard(target, [digestHex(diffID)]);
}

/** Reads a layer that is there already, only to see that it is what the image says. */
async function checkLayer(
  body: AsyncIterable<Uint8Array>,
  { diffID }: LayerSource,
  checkBody: () => Promise<void>,
): Promise<void> {
  const hash = nodeCrypto().createHash('sha256');
  for await (const chunk of decompressed(body)) hash.update(chunk);
  await checkBody();
  checkDigest('layer: uncompressed content', diffID, hash);
}

async function unpackLayer(
  target: LayerTarget,
  body: AsyncIterable<Uint8Array>,
  { diffID }: LayerSource,
  check: () => Promise<void>,
): Promise<void> {
  const { storage } = target;
  const partial = makePartial(storage);
  try {
    recordLayerSize(storage, diffID, await unpackAside(target, partial, { body, diffID, check }));
    publish(storage, partial, diffID);
  } finally {
    // After a failure, or when another process was first. Its own failure must not hide the first;
    // the next sweep tries again.
    if (fs.existsSync(partial)) await discard(target, [basename(partial)]).catch(() => {});
  }
}

interface Unpacking {
  readonly body: AsyncIterable<Uint8Array>;
  readonly diffID: Digest;
  /** Throws unless the body was what it should be; called at its end. */
  readonly check: () => Promise<void>;
}

/** @returns how many bytes the archive has */
async function unpackAside(
  { storage, userns, warn }: LayerTarget,
  partial: string,
  { body, diffID, check }: Unpacking,
): Promise<number> {
  const agent = openFsAgent({ userns, directories: storage.directories }, partial);
  try {
    const hash = nodeCrypto().createHash('sha256');
    let sizeBytes = 0;
    const tar = tee(decompressed(body), (chunk) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    await unpackInto(agent, tar);
    const [{ aclsDropped }] = await Promise.all([agent.sync(), check()]);
    checkDigest('layer: uncompressed content', diffID, hash);
    if (aclsDropped > 0)
      warn?.(
        `layer ${digestHex(diffID).slice(0, 12)}: ${aclsDropped} access control lists could not be kept: they are broken, or name users or groups without an id here`,
      );
    await agent.close();
    return sizeBytes;
  } catch (error) {
    await agent.close({ kill: true });
    throw error;
  }
}

/** Makes the files of an archive below the directory an agent has pinned. */
export async function unpackInto(agent: FsAgent, tar: AsyncIterable<Buffer>): Promise<void> {
  // A layer without an entry for its root.
  agent.mkdir('', { owner: { uid: 0, gid: 0 }, mode: 0o755 });
  const unpacker = new LayerUnpacker(agent);
  for await (const chunk of tar) {
    unpacker.write(chunk);
    await agent.drain();
  }
  unpacker.end();
}

/** Gives an unpacked layer its name. */
export function publish(storage: Storage, partial: string, diffID: Digest): void {
  try {
    fs.renameSync(partial, join(layersDirectory(storage), digestHex(diffID)));
  } catch (error) {
    // Another process unpacked the same layer; its tree is as good as ours.
    if (!hasCode(error, 'ENOTEMPTY') && !hasCode(error, 'EEXIST')) throw error;
  }
}

function checkDigest(what: string, wanted: Digest, hash: Hash): void {
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== wanted) throw new TsmanError(`${what} has digest ${digest}, want ${wanted}`);
}

async function* tee<T extends Uint8Array>(
  chunks: AsyncIterable<T>,
  sink: (chunk: T) => void,
): AsyncGenerator<T> {
  for await (const chunk of chunks) {
    sink(chunk);
    yield chunk;
  }
}
