import { TsmanError } from '../base/error.ts';
import { findEndpoints } from '../config/endpoints.ts';
import { checkPolicy } from '../config/policy.ts';
import { loadRegistries, type RegistriesConfig } from '../config/registries.ts';
import { usesSigstoreAttachments } from '../config/registries-d.ts';
import {
  type ChooseName,
  readAliasCache,
  recordAlias,
  settleTypedName,
} from '../config/short-names.ts';
import { formatReference, type Reference, withDefaultTag } from '../oci/reference.ts';
import { listTags } from '../registry/listing.ts';
import { collectIfLeft } from '../storage/garbage.ts';
import { findImage, type ImageRecord, readImageConfig } from '../storage/images.ts';
import type { LayerTarget } from '../storage/layers.ts';
import { resolvePlatform, satisfies } from './platform.ts';
import { pullFrom, type TransferOptions } from './pull-endpoint.ts';
import { openEndpoint } from './registry-access.ts';
import { message, tryEach } from './try-each.ts';

/** `never`: only what is here; `newer`: an unreachable registry is no error when it is here. */
export type PullPolicy = 'always' | 'missing' | 'newer' | 'never';

export interface PullOptions extends TransferOptions {
  /** Default: always, as `pull` means it; `run` passes `missing`. */
  readonly policy?: PullPolicy | undefined;
  /** Where there is a terminal: asks which image a short name means. */
  readonly choose?: ChooseName | undefined;
}

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
  try {
    return await pullTyped(target, typed, options);
  } catch (error) {
    if (local === undefined) throw error;
    options.onTransfer?.({
      kind: 'warning',
      text: `${message(error)}; using the image that is here`,
    });
    return local;
  }
}

async function pullTyped(
  target: LayerTarget,
  typed: string,
  options: PullOptions,
): Promise<ImageRecord> {
  const config = await registriesWithCache();
  const { references, isChosen } = await settleTypedName(config, typed, options.choose);
  const image = await tryEach(references.map(withDefaultTag), (reference) =>
    pullReference(target, config, reference, options),
  );
  // Only what could be pulled: a wrong choice must not stick.
  if (isChosen) await recordAlias(typed, references[0] as Reference);
  return image;
}

/** registries.conf; what the user chose before wins over its aliases. */
async function registriesWithCache(): Promise<RegistriesConfig> {
  const config = await loadRegistries();
  return { ...config, aliases: new Map([...config.aliases, ...(await readAliasCache())]) };
}

/** Pulls every tag of a repository. */
export async function pullAllTags(
  target: LayerTarget,
  typed: string,
  options: PullOptions = {},
): Promise<ImageRecord[]> {
  const config = await registriesWithCache();
  const { references } = await settleTypedName(config, typed, options.choose);
  const repository = references[0] as Reference;
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

async function pullReference(
  target: LayerTarget,
  config: RegistriesConfig,
  reference: Reference,
  options: PullOptions,
): Promise<ImageRecord> {
  const signatures = checkPolicy(reference);
  if (signatures.length > 0) await requireAttachments(reference);
  const endpoints = findEndpoints(config, reference);
  options.onTransfer?.({ kind: 'begin', name: formatReference(reference) });
  try {
    return await tryEach(endpoints, (endpoint) =>
      pullFrom(target, endpoint, reference, { ...options, signatures }),
    );
  } finally {
    await collectIfLeft(target);
  }
}

/** containers-registries.d(5): signatures beside the image are looked for only where that is said. */
async function requireAttachments(reference: Reference): Promise<void> {
  if (await usesSigstoreAttachments(reference)) return;
  throw new TsmanError(`policy.json wants a signature for ${formatReference(reference)}`, {
    hint: `set use-sigstore-attachments: true for ${reference.registry} in ~/.config/containers/registries.d/*.yaml`,
  });
}
