import { TsmanError } from '../base/error.ts';
import type { Endpoint } from '../config/endpoints.ts';
import type { SigstoreSigned } from '../config/policy-sigstore.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import { RegistryError } from '../registry/error.ts';
import { hasBlob, sha256 } from '../storage/blobs.ts';
import { putImage } from '../storage/image-put.ts';
import { findImage, type ImageRecord } from '../storage/images.ts';
import { hasLayer, type LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import type { Storage } from '../storage/storage.ts';
import { type PlatformWish, resolvePlatform } from './platform.ts';
import { pullLayers } from './pull-layers.ts';
import {
  checkPlatform,
  type RemoteImage,
  type ResolvedImage,
  resolveImage,
} from './pull-manifest.ts';
import { DEFAULT_PARALLEL, openEndpoint, type RegistryAccess } from './registry-access.ts';
import type { OnTransfer } from './transfer-event.ts';

export interface TransferOptions extends RegistryAccess {
  readonly platform?: PlatformWish | undefined;
  readonly onTransfer?: OnTransfer | undefined;
}

/** And what policy.json says of the reference. */
export interface CheckedTransfer extends TransferOptions {
  readonly signatures: readonly SigstoreSigned[];
}

/** Pulls a reference from one place: the registry itself, or a mirror. */
export async function pullFrom(
  target: LayerTarget,
  endpoint: Endpoint,
  reference: Reference,
  options: CheckedTransfer,
): Promise<ImageRecord> {
  const stop = new AbortController();
  const signal =
    options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const onTransfer = options.onTransfer ?? (() => undefined);
  const onRetry = (why: Error, delayMs: number) =>
    onTransfer({
      kind: 'warning',
      text: `${why.message}; trying again${delayMs > 0 ? ` in ${delayMs / 1000} s` : ''}`,
    });
  const session = openEndpoint(endpoint, { onRetry, ...options, signal });
  const version = reference.digest ?? reference.tag ?? 'latest';
  const image: RemoteImage = {
    session,
    repository: endpoint.repository,
    version,
    name: formatReference(reference),
    ...(options.signatures.length > 0 && {
      accept: async (digests) => {
        const { checkSignatures } = await import('./signature.ts');
        const { repository } = endpoint;
        try {
          await checkSignatures({ session, repository, reference }, digests, options.signatures);
        } catch (cause) {
          throw new TsmanError(`pull ${formatReference(reference)}`, { cause });
        }
      },
    }),
  };
  try {
    return await fetchImage(target, image, reference, { ...options, stop, onTransfer });
  } catch (error) {
    throw error instanceof RegistryError
      ? new TsmanError(`pull ${image.name}`, { cause: error })
      : error;
  } finally {
    session.close();
  }
}

async function fetchImage(
  target: LayerTarget,
  image: RemoteImage,
  reference: Reference,
  options: TransferOptions & { readonly stop: AbortController; readonly onTransfer: OnTransfer },
): Promise<ImageRecord> {
  const platform = resolvePlatform(options.platform);
  const resolved = await resolveImage(target.storage, image, platform);
  const warning = checkPlatform(
    resolved.config,
    platform,
    image.name,
    options.platform !== undefined,
  );
  if (warning !== undefined) options.onTransfer({ kind: 'warning', text: warning });
  const name = recordedName(reference);
  const existing = findUnchanged(target.storage, name, resolved);
  if (existing !== undefined) {
    for (const { digest, size: sizeBytes } of resolved.manifest.layers) {
      options.onTransfer({ kind: 'blob', digest, sizeBytes, state: 'exists' });
    }
    return existing;
  }
  const { stop, onTransfer, parallel = DEFAULT_PARALLEL } = options;
  return withIngest(target.storage, async () => {
    await pullLayers(target, image, resolved, { parallel, stop, onTransfer });
    // The record comes last: a pull killed before this line leaves layers that the next one finds.
    const { manifestBytes, manifestType, configBytes } = resolved;
    return putImage(target.storage, { manifestBytes, manifestType, configBytes, names: [name] });
  });
}

/** The tag, or the digest the user asked for; with both the digest says which image it is. */
function recordedName({ registry, repository, tag, digest }: Reference): string {
  if (digest !== undefined) return formatReference({ registry, repository, digest });
  return formatReference({ registry, repository, ...(tag !== undefined && { tag }) });
}

/** A pull that changes nothing writes nothing: the repeated pull waits for no disk. */
function findUnchanged(
  storage: Storage,
  name: string,
  { manifestBytes, manifest, config }: ResolvedImage,
): ImageRecord | undefined {
  const image = findImage(storage, name);
  if (
    image === undefined ||
    !image.names.includes(name) ||
    image.manifestDigest !== sha256(manifestBytes)
  )
    return undefined;
  const isWhole =
    manifest.layers.every(({ digest }) => hasBlob(storage, digest)) &&
    config.rootfs.diff_ids.every((diffID) => hasLayer(storage, diffID));
  return isWhole ? image : undefined;
}
