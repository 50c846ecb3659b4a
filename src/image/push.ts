import { createReadStream, statSync } from 'node:fs';
import { TsmanError } from '../base/error.ts';
import { ownEndpoint } from '../config/endpoints.ts';
import { loadRegistries } from '../config/registries.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor, Manifest } from '../oci/image.ts';
import {
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  withDefaultTag,
} from '../oci/reference.ts';
import { putManifest } from '../registry/manifests.ts';
import type { RegistrySession } from '../registry/session.ts';
import { hasRemoteBlob, uploadBlob } from '../registry/upload.ts';
import { blobPath, sha256 } from '../storage/blobs.ts';
import { collectGarbage, collectIfLeft } from '../storage/garbage.ts';
import { type ImageRecord, readImageManifest } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import type { Storage } from '../storage/storage.ts';
import { convertManifest, type ManifestFormat } from './convert.ts';
import { forEachLimited } from './limit.ts';
import { recompressLayers, type WantedCompression } from './recompress.ts';
import { DEFAULT_PARALLEL, openEndpoint, type RegistryAccess } from './registry-access.ts';
import type { OnTransfer } from './transfer-event.ts';

export interface PushOptions extends RegistryAccess {
  /** Default: as it is stored. */
  readonly format?: ManifestFormat | undefined;
  /** Layers compressed otherwise are compressed anew. */
  readonly compression?: WantedCompression | undefined;
  readonly onTransfer?: OnTransfer | undefined;
}

/** Copies an image to a registry; returns the digest of the manifest as pushed. */
export function pushImage(
  target: LayerTarget,
  image: ImageRecord,
  destination: string,
  options: PushOptions = {},
): Promise<Digest> {
  return withDestination(target, destination, options, async (to) => {
    const { digest } = await sendImage(
      target.storage,
      image,
      to,
      to.reference.tag ?? 'latest',
      options,
    );
    return digest;
  });
}

/** Opens the registry of a destination for `work`, which sends there. */
export async function withDestination<T>(
  target: LayerTarget,
  destination: string,
  options: PushOptions,
  work: (to: Destination) => Promise<T>,
): Promise<T> {
  const reference = withDefaultTag(parseReference(destination));
  const name = formatReference(reference);
  if (reference.digest !== undefined)
    throw new TsmanError(`push ${name}: the destination must not have a digest`);
  const endpoint = ownEndpoint(await loadRegistries(), reference);
  const stop = new AbortController();
  const signal =
    options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const onTransfer = options.onTransfer ?? (() => undefined);
  const onRetry = (why: Error) =>
    onTransfer({ kind: 'warning', text: `${why.message}; trying again` });
  const session = openEndpoint(endpoint, { onRetry, ...options, signal });
  onTransfer({ kind: 'begin', name });
  try {
    // The lease keeps a collector away from what we read and, with --compression-format, write.
    return await withIngest(target.storage, () =>
      work({ session, repository: endpoint.repository, reference, stop }),
    );
  } catch (cause) {
    throw new TsmanError(`push ${name}`, { cause });
  } finally {
    session.close();
    // No image has the layers that were compressed anew. Killed before, the next collection takes them.
    await (options.compression === undefined ? collectIfLeft(target) : collectGarbage(target));
  }
}

/** Where a push goes. */
export interface Destination {
  readonly session: RegistrySession;
  readonly repository: string;
  readonly reference: Reference;
  readonly stop: AbortController;
}

/** Sends an image under a tag, or with `undefined` under its digest; returns the manifest's descriptor. */
export async function sendImage(
  storage: Storage,
  image: ImageRecord,
  destination: Destination,
  tag: string | undefined,
  { format, compression, parallel = DEFAULT_PARALLEL, onTransfer = () => undefined }: PushOptions,
): Promise<Descriptor> {
  const { session, repository, reference, stop } = destination;
  const stored = readImageManifest(storage, image);
  const manifest =
    compression === undefined ? stored : await recompressLayers(storage, stored, compression);
  const converted = convertManifest(storage, image, manifest, format);
  const mountFrom = otherRepository(image, reference);
  const send = (descriptor: Descriptor) =>
    sendBlob(storage, destination, descriptor, { mountFrom, onTransfer });
  const layers = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  await forEachLimited(layers.values(), parallel, stop, send);
  await send(manifest.config);
  // The manifest comes last: a registry refuses one whose blobs it does not have.
  const digest = sha256(converted.bytes);
  await putManifest(session, repository, tag ?? digest, converted);
  return { mediaType: converted.mediaType, digest, size: converted.bytes.length };
}

/** A repository of the same registry that the image is known by: its blobs can be mounted from there. */
function otherRepository(image: ImageRecord, to: Reference): string | undefined {
  const others = image.names.map((name) => parseReference(name));
  return others.find(
    (other) => other.registry === to.registry && repositoryName(other) !== repositoryName(to),
  )?.repository;
}

async function sendBlob(
  storage: Storage,
  { session, repository }: Destination,
  { digest, size: sizeBytes }: Manifest['config'],
  { mountFrom, onTransfer }: { mountFrom: string | undefined; onTransfer: OnTransfer },
): Promise<void> {
  if (await hasRemoteBlob(session, repository, digest)) {
    onTransfer({ kind: 'blob', digest, sizeBytes, state: 'exists' });
    return;
  }
  const path = blobPath(storage, digest);
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size !== sizeBytes)
    throw new TsmanError(`blob ${digest} is ${size === undefined ? 'missing' : 'damaged'}`, {
      hint: 'pull or load the image again',
    });
  onTransfer({ kind: 'blob', digest, sizeBytes, state: 'started' });
  async function* open(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      onTransfer({ kind: 'bytes', digest, bytes: chunk.length });
      yield chunk;
    }
  }
  const outcome = await uploadBlob(session, repository, { digest, size, open }, { mountFrom });
  onTransfer({
    kind: 'blob',
    digest,
    sizeBytes,
    state: outcome === 'mounted' ? 'mounted' : 'done',
  });
}
