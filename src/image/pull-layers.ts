import { createReadStream, rmSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { collectEvery } from '../base/memory.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/image.ts';
import { readBlob } from '../registry/blobs.ts';
import { mayPass } from '../registry/transport.ts';
import { BlobWriter, hasBlob } from '../storage/blobs.ts';
import { hasLayer, ingestLayer, type LayerTarget, unpackStoredLayer } from '../storage/layers.ts';
import { claimPartialBlob, keepPartialBlob, type PartialBlob } from '../storage/partial-blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { forEachLimited } from './limit.ts';
import type { RemoteImage, ResolvedImage } from './pull-manifest.ts';
import type { OnTransfer } from './transfer-event.ts';

/** Of compressed bytes: some 10 MB of Buffers that nobody needs any more. */
const COLLECT_BYTES = 4 << 20;

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffID: Digest;
}

export interface LayerTransfer {
  readonly parallel: number;
  /** Aborted at the first failure, so that the other layers stop too. */
  readonly stop: AbortController;
  readonly onTransfer: OnTransfer;
}

/** Brings the layers into the store, several at a time, each unpacked while it comes in. */
export async function pullLayers(
  target: LayerTarget,
  image: RemoteImage,
  resolved: ResolvedImage,
  { parallel, stop, onTransfer }: LayerTransfer,
): Promise<void> {
  const layers = new Map<Digest, Layer>();
  for (const [i, descriptor] of resolved.manifest.layers.entries()) {
    const diffID = resolved.config.rootfs.diff_ids[i];
    // The same (empty) layer may come twice; two writers of one layer would be in each other's way.
    if (diffID !== undefined) layers.set(descriptor.digest, { descriptor, diffID });
  }
  await forEachLimited(layers.values(), parallel, stop, async (layer) => {
    const { digest, size: sizeBytes } = layer.descriptor;
    if (hasBlob(target.storage, digest) && hasLayer(target.storage, layer.diffID)) {
      onTransfer({ kind: 'blob', digest, sizeBytes, state: 'exists' });
      return;
    }
    onTransfer({ kind: 'blob', digest, sizeBytes, state: 'started' });
    try {
      await pullLayer(target, image, layer, (bytes) =>
        onTransfer({ kind: 'bytes', digest, bytes }),
      );
    } catch (cause) {
      if (stop.signal.aborted) throw cause;
      throw new TsmanError(`layer ${digest}`, { cause });
    }
    onTransfer({ kind: 'blob', digest, sizeBytes, state: 'done' });
  });
}

async function pullLayer(
  target: LayerTarget,
  image: RemoteImage,
  layer: Layer,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { storage } = target;
  const { digest, size } = layer.descriptor;
  if (hasBlob(storage, digest)) {
    await unpackStoredLayer(target, layer);
    return;
  }
  const partial = claimPartialBlob(storage, digest, size);
  try {
    const body = counted(resumedBody(storage, image, layer.descriptor, partial), onBytes);
    // The same content compressed otherwise: unpacked already, only the blob is missing.
    if (hasLayer(storage, layer.diffID)) await storeBlob(target, layer.descriptor, body);
    else await ingestLayer(target, body, layer);
  } finally {
    // Used up; and should it be what was wrong, the next attempt begins at the beginning.
    if (partial !== undefined) rmSync(partial.path, { force: true });
  }
}

/** What an earlier pull left of the blob, then the rest from the registry. */
async function* resumedBody(
  storage: Storage,
  { session, repository }: RemoteImage,
  { digest, size }: Descriptor,
  partial: PartialBlob | undefined,
): AsyncGenerator<Uint8Array> {
  if (partial !== undefined) yield* createReadStream(partial.path, { highWaterMark: 1 << 19 });
  try {
    yield* readBlob(session, { repository, digest, size }, partial?.sizeBytes);
  } catch (error) {
    if (mayPass(error) || session.signal?.aborted === true) keepPartialBlob(storage, digest);
    throw error;
  }
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  const collect = collectEvery(COLLECT_BYTES);
  for await (const chunk of body) {
    onBytes(chunk.length);
    yield chunk;
    collect(chunk.length);
  }
}

async function storeBlob(
  { storage }: LayerTarget,
  descriptor: Descriptor,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const writer = new BlobWriter(storage, { digest: descriptor.digest, sizeBytes: descriptor.size });
  try {
    for await (const chunk of body) writer.write(chunk);
    await writer.finish();
  } finally {
    writer.abort();
  }
}
