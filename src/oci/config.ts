import { TsmanError } from '../base/error.ts';
import type { ContainerDefaults, HistoryEntry, ImageConfig } from './image.ts';
import {
  asArray,
  asObject,
  asString,
  asStringMap,
  asStrings,
  type JsonObject,
  optional,
  parseJsonObject,
} from './json.ts';
import { defined, readDigest } from './manifest.ts';

/** Image configurations are a few kilobytes; Podman stops at 4 MiB too. */
export const MAX_CONFIG_BYTES = 4 << 20;
const MAX_LAYERS = 500;

/**
 * Parses an image configuration (image-spec config.md) from an untrusted source. Unknown keys are
 * left out; the stored bytes keep them.
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.length > MAX_CONFIG_BYTES)
    throw new TsmanError(
      `image config has ${bytes.length} bytes, the limit is ${MAX_CONFIG_BYTES}`,
    );
  const document = parseJsonObject(bytes, 'image config');
  const rootfs = asObject(document['rootfs'], 'rootfs');
  const diffIDs =
    optional(rootfs['diff_ids'], 'rootfs.diff_ids', (value, where) =>
      asArray(value, where, MAX_LAYERS),
    ) ?? [];
  return {
    architecture: text(document, 'architecture') ?? '',
    os: text(document, 'os') ?? '',
    ...defined({
      created: text(document, 'created'),
      author: text(document, 'author'),
      variant: text(document, 'variant'),
      config: optional(document['config'], 'config', readDefaults),
      history: optional(document['history'], 'history', readHistory),
    }),
    rootfs: {
      type: 'layers',
      diff_ids: diffIDs.map((entry, i) => readDigest(entry, `rootfs.diff_ids[${i}]`)),
    },
  };
}

function text(object: JsonObject, key: string, where = key): string | undefined {
  return optional(object[key], where, asString);
}

function readDefaults(value: unknown, where: string): ContainerDefaults {
  const object = asObject(value, where);
  const at = (key: string): string => `${where}.${key}`;
  return defined({
    User: text(object, 'User', at('User')),
    WorkingDir: text(object, 'WorkingDir', at('WorkingDir')),
    StopSignal: text(object, 'StopSignal', at('StopSignal')),
    Env: optional(object['Env'], at('Env'), readEnvironment),
    Entrypoint: optional(object['Entrypoint'], at('Entrypoint'), asStrings),
    Cmd: optional(object['Cmd'], at('Cmd'), asStrings),
    OnBuild: optional(object['OnBuild'], at('OnBuild'), asStrings),
    Labels: optional(object['Labels'], at('Labels'), asStringMap),
    ExposedPorts: optional(object['ExposedPorts'], at('ExposedPorts'), asSet),
    Volumes: optional(object['Volumes'], at('Volumes'), asSet),
    Healthcheck: optional(object['Healthcheck'], at('Healthcheck'), asObject),
  });
}

/** Engines that index what follows `=` without looking crash on such an entry (CVE-2026-57231). */
function readEnvironment(value: unknown, where: string): readonly string[] {
  const entries = asStrings(value, where);
  const bad = entries.findIndex((entry) => entry.indexOf('=') < 1 || entry.includes('\0'));
  if (bad !== -1)
    throw new TsmanError(
      `${where}[${bad}] ${JSON.stringify(entries[bad]?.slice(0, 100))} is not NAME=VALUE`,
    );
  return entries;
}

/** Go's map[string]struct{}: an object whose values say nothing. */
function asSet(value: unknown, where: string): Readonly<Record<string, object>> {
  return Object.fromEntries(Object.keys(asObject(value, where)).map((key) => [key, {}]));
}

function readHistory(value: unknown, where: string): readonly HistoryEntry[] {
  return asArray(value, where).map((entry, i) => {
    const object = asObject(entry, `${where}[${i}]`);
    const at = (key: string): string | undefined => text(object, key, `${where}[${i}].${key}`);
    const { empty_layer: isEmpty } = object;
    if (isEmpty !== undefined && typeof isEmpty !== 'boolean')
      throw new TsmanError(`${where}[${i}].empty_layer is not a boolean`);
    return defined({
      created: at('created'),
      created_by: at('created_by'),
      author: at('author'),
      comment: at('comment'),
      empty_layer: isEmpty,
    });
  });
}
