import { TsmanError } from '../base/error.ts';
import { MAX_CONFIG_BYTES, parseImageConfig } from '../oci/config.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageConfig, Manifest, Platform } from '../oci/image.ts';
import { parseAnyManifest } from '../oci/manifest.ts';
import { fetchSmallBlob } from '../registry/blobs.ts';
import { RegistryError } from '../registry/error.ts';
import { listTags } from '../registry/listing.ts';
import { type FetchedManifest, fetchManifest } from '../registry/manifests.ts';
import type { RegistrySession } from '../registry/session.ts';
import { hasBlob, readSmallBlob } from '../storage/blobs.ts';
import type { Storage } from '../storage/storage.ts';
import { chooseFromIndex, formatPlatform, satisfies } from './platform.ts';

/** What to pull from where; the repository as the registry knows it. */
export interface RemoteImage {
  readonly session: RegistrySession;
  readonly repository: string;
  /** A tag, or a digest. */
  readonly version: string;
  /** For messages. */
  readonly name: string;
  /** Refuses the image before anything else of it is read. Given its digest, then its indexes'. */
  readonly accept?: ((digests: readonly Digest[]) => Promise<void>) | undefined;
}

/** One machine's image, not yet its layers. */
export interface ResolvedImage {
  readonly manifest: Manifest;
  readonly manifestBytes: Uint8Array;
  readonly manifestType: string;
  readonly config: ImageConfig;
  readonly configBytes: Buffer;
}

const MAX_INDEX_DEPTH = 2;

/** Fetches manifest and config for a platform; what the store has is not fetched again. */
export async function resolveImage(
  storage: Storage,
  image: RemoteImage,
  platform: Platform,
): Promise<ResolvedImage> {
  let fetched = await fetchOrExplain(image);
  const digests: Digest[] = [];
  for (let depth = 0; ; depth++) {
    digests.unshift(fetched.digest);
    const parsed = parse(fetched, image);
    if (parsed.kind === 'manifest') {
      const { manifest, mediaType } = parsed;
      await image.accept?.(digests);
      const configBytes = await fetchConfig(storage, image, manifest);
      const config = parseConfig(configBytes, manifest, image);
      return {
        manifest,
        manifestBytes: fetched.bytes,
        manifestType: mediaType,
        config,
        configBytes,
      };
    }
    if (depth >= MAX_INDEX_DEPTH) throw new TsmanError(`${image.name}: indexes within indexes`);
    const entry = chooseFromIndex(parsed.index.manifests, platform, image.name);
    fetched = await fetchByDigest(storage, image, {
      digest: entry.digest,
      mediaType: entry.mediaType,
    });
  }
}

function parse(fetched: FetchedManifest, image: RemoteImage) {
  try {
    return parseAnyManifest(fetched.bytes, fetched.mediaType);
  } catch (cause) {
    throw new TsmanError(image.name, { cause });
  }
}

async function fetchByDigest(
  storage: Storage,
  { session, repository }: RemoteImage,
  wanted: Pick<FetchedManifest, 'digest' | 'mediaType'>,
): Promise<FetchedManifest> {
  if (hasBlob(storage, wanted.digest))
    return { ...wanted, bytes: readSmallBlob(storage, wanted.digest) };
  return fetchManifest(session, repository, wanted.digest);
}

function fetchConfig(
  storage: Storage,
  { session, repository }: RemoteImage,
  { config }: Manifest,
): Promise<Buffer> {
  if (hasBlob(storage, config.digest))
    return Promise.resolve(readSmallBlob(storage, config.digest));
  return fetchSmallBlob(session, { repository, ...config }, MAX_CONFIG_BYTES);
}

function parseConfig(bytes: Buffer, manifest: Manifest, { name }: RemoteImage): ImageConfig {
  const known = /^application\/vnd\.(oci\.image\.config\.v1|docker\.container\.image\.v1)\+json$/;
  if (!known.test(manifest.config.mediaType)) {
    throw new TsmanError(
      `${name} is no container image: its config is ${JSON.stringify(manifest.config.mediaType)}`,
    );
  }
  const config = parseImageConfig(bytes);
  const layers = config.rootfs.diff_ids.length;
  if (layers !== manifest.layers.length) {
    throw new TsmanError(
      `${name}: the config names ${layers} layers, the manifest ${manifest.layers.length}`,
    );
  }
  return config;
}

/** An image without an index says only in its config what it is for. Returns a warning, if any. */
export function checkPlatform(
  config: ImageConfig,
  wanted: Platform,
  name: string,
  isDemanded: boolean,
): string | undefined {
  if (config.os === '' || config.architecture === '' || satisfies(config, wanted)) return undefined;
  const text = `${name} is for ${formatPlatform(config)}, not for ${formatPlatform(wanted)}`;
  if (isDemanded || config.os !== wanted.os)
    throw new TsmanError(text, { hint: 'it has no other variants' });
  return text;
}

/** A tag that does not exist is mostly a misspelt one: say which there are. */
async function fetchOrExplain(image: RemoteImage): Promise<FetchedManifest> {
  try {
    return await fetchManifest(image.session, image.repository, image.version);
  } catch (error) {
    const isMissing = error instanceof RegistryError && error.status === 404;
    if (!isMissing || image.version.includes(':')) throw error;
    const near = await nearTags(image);
    if (near === undefined) {
      throw new RegistryError('no such repository', { status: 404, hint: 'check the name' });
    }
    const hint = near.length === 0 ? 'the repository has no tags' : `there is: ${near.join(', ')}`;
    throw new RegistryError(`no tag ${image.version}`, { status: 404, hint });
  }
}

const MAX_TAGS_READ = 2000;
const MAX_TAGS_SHOWN = 8;

async function nearTags({
  session,
  repository,
  version,
}: RemoteImage): Promise<string[] | undefined> {
  const tags: string[] = [];
  try {
    for await (const tag of listTags(session, repository)) {
      if (tags.push(tag) >= MAX_TAGS_READ) break;
    }
  } catch (error) {
    // Only decoration: the first error says what happened.
    return error instanceof RegistryError && error.status === 404 ? undefined : [];
  }
  const common = (tag: string) => {
    let at = 0;
    while (at < tag.length && tag[at] === version[at]) at++;
    return at;
  };
  return tags.sort((a, b) => common(b) - common(a)).slice(0, MAX_TAGS_SHOWN);
}
