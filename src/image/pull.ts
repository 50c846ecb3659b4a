import { TsmanError } from '../base/error.ts';
import { type Endpoint, findEndpoints, resolveTypedName } from '../config/endpoints.ts';
import { checkPolicy } from '../config/policy.ts';
import { loadRegistries, type RegistriesConfig } from '../config/registries.ts';
import { formatReference, type Reference, withDefaultTag } from '../oci/reference.ts';
import { RegistryError } from '../registry/error.ts';
import { listTags } from '../registry/listing.ts';
import { collectIfLeft } from '../storage/garbage.ts';
import { putImage } from '../storage/image-put.ts';
import { findImage, type ImageRecord, readImageConfig } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { withIngest } from '../storage/leases.ts';
import { type PlatformWish, resolvePlatform, satisfies } from './platform.ts';
import { pullLayers } from './pull-layers.ts';
import { checkPlatform, type RemoteImage, resolveImage } from './pull-manifest.ts';
import { openEndpoint, type RegistryAccess } from './registry-access.ts';
import type { OnTransfer } from './transfer-event.ts';

/** `never`: only what is here; `newer`: an unreachable registry is no error when it is here. */
export type PullPolicy = 'always' | 'missing' | 'newer' | 'never';

export interface PullOptions extends RegistryAccess {
  readonly platform?: PlatformWish | undefined;
  /** Default: always, as `pull` means it; `run` passes `missing`. */
  readonly policy?: PullPolicy | undefined;
  /** Layers at a time. */
  readonly parallel?: number | undefined;
  readonly onTransfer?: OnTransfer | undefined;
}

const DEFAULT_PARALLEL = 3;

/** Copies an image from a registry into the store, by the name the user typed, and returns it. */
export async function pullImage(
  target: LayerTarget,
  typed: string,
  options: PullOptions = {},
): Promise<ImageRecord> {
  const policy = options.policy ?? 'always';
  const local = policy === 'always' ? undefined : findLocal(target, typed, options);
  if (local !== undefined && policy !== 'newer') return local;
  if (policy === 'never') {
    throw new TsmanError(`${typed}: image not known`, {
      hint: 'pull it, or leave out --pull=never',
    });
  }
  const config = await loadRegistries();
  const candidates = resolveTypedName(config, typed).map(withDefaultTag);
  try {
    return await tryEach(candidates, (reference) =>
      pullReference(target, config, reference, options),
    );
  } catch (error) {
    if (local === undefined) throw error;
    options.onTransfer?.({
      kind: 'warning',
      text: `${message(error)}; using the image that is here`,
    });
    return local;
  }
}

/** Pulls every tag of a repository. */
export async function pullAllTags(
  target: LayerTarget,
  typed: string,
  options: PullOptions = {},
): Promise<ImageRecord[]> {
  const config = await loadRegistries();
  const repository = resolveTypedName(config, typed)[0] as Reference;
  if (repository.tag !== undefined || repository.digest !== undefined) {
    throw new TsmanError(`${typed}: --all-tags takes a name without tag and digest`);
  }
  const tags = await tryEach(findEndpoints(config, repository), async (endpoint) => {
    const session = openEndpoint(endpoint, options);
    try {
      return await Array.fromAsync(listTags(session, endpoint.repository));
    } finally {
      session.close();
    }
  });
  const records: ImageRecord[] = [];
  for (const tag of tags)
    records.push(await pullReference(target, config, { ...repository, tag }, options));
  return records;
}

function findLocal(
  { storage }: LayerTarget,
  typed: string,
  { platform }: PullOptions,
): ImageRecord | undefined {
  const image = findImage(storage, typed);
  if (image === undefined || platform === undefined) return image;
  return satisfies(readImageConfig(storage, image), resolvePlatform(platform)) ? image : undefined;
}

/** The first that works; the error of the last, naming the others' reasons too. */
async function tryEach<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R> {
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      return await work(item);
    } catch (error) {
      if (!(error instanceof TsmanError)) throw error;
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  const hint = failures.find((error) => error instanceof TsmanError && error.hint !== undefined);
  throw new TsmanError(failures.map(message).join('; '), {
    hint: hint instanceof TsmanError ? hint.hint : undefined,
  });
}

function message(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${message(error.cause)}` : error.message;
}

async function pullReference(
  target: LayerTarget,
  config: RegistriesConfig,
  reference: Reference,
  options: PullOptions,
): Promise<ImageRecord> {
  checkPolicy(reference);
  const endpoints = findEndpoints(config, reference);
  options.onTransfer?.({ kind: 'begin', name: formatReference(reference) });
  try {
    return await tryEach(endpoints, (endpoint) => pullFrom(target, endpoint, reference, options));
  } finally {
    await collectIfLeft(target);
  }
}

async function pullFrom(
  target: LayerTarget,
  endpoint: Endpoint,
  reference: Reference,
  options: PullOptions,
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
  };
  try {
    return await withIngest(target.storage, () =>
      fetchImage(target, image, reference, { ...options, stop, onTransfer }),
    );
  } catch (error) {
    if (error instanceof TsmanError && !(error instanceof RegistryError)) throw error;
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
  options: PullOptions & { readonly stop: AbortController; readonly onTransfer: OnTransfer },
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
  const { stop, onTransfer, parallel = DEFAULT_PARALLEL } = options;
  await pullLayers(target, image, resolved, { parallel, stop, onTransfer });
  // The record comes last: a pull killed before this line leaves layers that the next one finds.
  const { registry, repository, tag, digest } = reference;
  const name =
    digest === undefined
      ? { registry, repository, ...(tag !== undefined && { tag }) }
      : { registry, repository, digest };
  return putImage(target.storage, {
    manifestBytes: resolved.manifestBytes,
    manifestType: resolved.manifestType,
    configBytes: resolved.configBytes,
    names: [formatReference(name)],
  });
}
