import type { Hash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { TsmanError } from '../base/error.ts';
import { nodeCrypto } from '../base/late-modules.ts';
import { type Digest, digestHex } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { BlobWriter, blobPath, blobSize } from './blobs.ts';
import { decompressed } from './decompress.ts';
import { tee, unpackAside, unpackLayer } from './layer-unpack.ts';
import { discard, type LayerTarget } from './partials.ts';
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
    else await unpackLayer(target, decompressed(stored), layer, sealBlob);
    blob.commit();
  } finally {
    blob.abort();
  }
}

/** Unpacks a layer whose blob is in the store; verifies both digests again. */
export async function unpackStoredLayer(target: LayerTarget, layer: LayerSource): Promise<void> {
  const { body, check } = storedBody(target.storage, layer.descriptor.digest);
  await unpackLayer(target, decompressed(body), layer, check);
}

/** The same into a directory that `makePartial` made, which is left for the caller to use and to discard. */
export async function unpackStoredAside(
  target: LayerTarget,
  layer: LayerSource,
  partial: string,
): Promise<void> {
  const { body, check } = storedBody(target.storage, layer.descriptor.digest);
  await unpackAside(target, partial, { tar: decompressed(body), diffID: layer.diffID, check });
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

function checkDigest(what: string, wanted: Digest, hash: Hash): void {
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== wanted) throw new TsmanError(`${what} has digest ${digest}, want ${wanted}`);
}
