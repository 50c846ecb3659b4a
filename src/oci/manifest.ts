import { TsmanError } from '../base/error.ts';
import { type Digest, parseDigest } from './digest.ts';
import { type Descriptor, type Index, type Manifest, MEDIA_TYPE, type Platform } from './image.ts';
import {
  asArray,
  asObject,
  asSize,
  asString,
  asStringMap,
  asStrings,
  type JsonObject,
  optional,
  parseJsonObject,
} from './json.ts';

/** Registries refuse manifests above 4 MiB (distribution-spec, Pushing Manifests). */
export const MAX_MANIFEST_BYTES = 4 << 20;
/** More than any builder makes; each costs a mount option and a directory. */
const MAX_LAYERS = 500;
const MAX_MANIFESTS = 1000;

const INDEX_TYPES: readonly string[] = [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerList];
const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest];

/** A manifest or an index, told apart by its content and checked against the type it came with. */
export type ParsedManifest =
  | { readonly kind: 'manifest'; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: 'index'; readonly mediaType: string; readonly index: Index };

/**
 * Parses a manifest or index from an untrusted source.
 * @param declaredType the media type of its descriptor or HTTP answer, where there is one
 */
export function parseAnyManifest(bytes: Uint8Array, declaredType?: string): ParsedManifest {
  const document = parseDocument(bytes);
  const inside = optional(document['mediaType'], 'mediaType', asString);
  const declared = known(declaredType);
  const mediaType = inside ?? declared ?? guessType(document);
  if (inside !== undefined && declared !== undefined && inside !== declared) {
    throw new TsmanError(`manifest says it is ${inside}, but came as ${declared}`);
  }
  if (INDEX_TYPES.includes(mediaType))
    return { kind: 'index', mediaType, index: readIndex(document) };
  if (MANIFEST_TYPES.includes(mediaType))
    return { kind: 'manifest', mediaType, manifest: readManifest(document) };
  throw new TsmanError(`unknown manifest type ${JSON.stringify(mediaType.slice(0, 200))}`);
}

/** @throws TsmanError also when it is an index */
export function parseManifest(bytes: Uint8Array, declaredType?: string): Manifest {
  const parsed = parseAnyManifest(bytes, declaredType);
  if (parsed.kind === 'index')
    throw new TsmanError('found an image index where a manifest was expected');
  return parsed.manifest;
}

/** @throws TsmanError also when it is a manifest */
export function parseIndex(bytes: Uint8Array, declaredType?: string): Index {
  const parsed = parseAnyManifest(bytes, declaredType);
  if (parsed.kind === 'manifest')
    throw new TsmanError('found a manifest where an image index was expected');
  return parsed.index;
}

/** True for the media types of indexes and manifest lists. */
export function isIndexType(mediaType: string): boolean {
  return INDEX_TYPES.includes(mediaType);
}

function parseDocument(bytes: Uint8Array): JsonObject {
  if (bytes.length > MAX_MANIFEST_BYTES)
    throw new TsmanError(`manifest has ${bytes.length} bytes, the limit is ${MAX_MANIFEST_BYTES}`);
  const document = parseJsonObject(bytes, 'manifest');
  // One digest, two meanings: which one is run must not depend on the reader (CVE-2021-41190).
  if (
    'manifests' in document &&
    ('layers' in document || 'config' in document || 'fsLayers' in document)
  ) {
    throw new TsmanError('manifest has both manifests and layers (CVE-2021-41190)');
  }
  if (document['schemaVersion'] === 1) {
    throw new TsmanError('manifest has Docker schema 1, which no registry should serve any more', {
      hint: 'push the image again with a current tool',
    });
  }
  if (document['schemaVersion'] !== 2) throw new TsmanError('manifest: schemaVersion is not 2');
  return document;
}

function known(type: string | undefined): string | undefined {
  const bare = type?.split(';')[0]?.trim();
  return bare !== undefined && (INDEX_TYPES.includes(bare) || MANIFEST_TYPES.includes(bare))
    ? bare
    : undefined;
}

function guessType(document: JsonObject): string {
  return 'manifests' in document ? MEDIA_TYPE.ociIndex : MEDIA_TYPE.ociManifest;
}

function readManifest(document: JsonObject): Manifest {
  const config = readDescriptor(document['config'], 'config');
  const layers = asArray(document['layers'], 'layers', MAX_LAYERS).map((entry, i) =>
    readDescriptor(entry, `layers[${i}]`),
  );
  const mediaType = optional(document['mediaType'], 'mediaType', asString);
  const annotations = optional(document['annotations'], 'annotations', asStringMap);
  return { schemaVersion: 2, ...defined({ mediaType, annotations }), config, layers };
}

function readIndex(document: JsonObject): Index {
  const manifests = asArray(document['manifests'], 'manifests', MAX_MANIFESTS).map((entry, i) =>
    readDescriptor(entry, `manifests[${i}]`),
  );
  const mediaType = optional(document['mediaType'], 'mediaType', asString);
  return { schemaVersion: 2, ...defined({ mediaType }), manifests };
}

function readDescriptor(value: unknown, where: string): Descriptor {
  const object = asObject(value, where);
  return {
    mediaType: asString(object['mediaType'], `${where}.mediaType`),
    digest: readDigest(object['digest'], `${where}.digest`),
    size: asSize(object['size'], `${where}.size`),
    ...defined({
      annotations: optional(object['annotations'], `${where}.annotations`, asStringMap),
      platform: optional(object['platform'], `${where}.platform`, readPlatform),
      urls: optional(object['urls'], `${where}.urls`, asStrings),
    }),
  };
}

function readPlatform(value: unknown, where: string): Platform {
  const object = asObject(value, where);
  return {
    os: optional(object['os'], `${where}.os`, asString) ?? '',
    architecture: optional(object['architecture'], `${where}.architecture`, asString) ?? '',
    ...defined({ variant: optional(object['variant'], `${where}.variant`, asString) }),
  };
}

/** A checked digest, with its place in the message. */
export function readDigest(value: unknown, where: string): Digest {
  try {
    return parseDigest(asString(value, where));
  } catch (cause) {
    throw new TsmanError(where, { cause });
  }
}

/** Leaves out keys that are undefined, for exactOptionalPropertyTypes. */
export function defined<T extends object>(
  object: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
