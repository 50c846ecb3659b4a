import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { TsmanError, UsageError } from '../../base/error.ts';
import { parseSizeBytes } from '../../base/size.ts';
import type { RuntimeMount } from '../../oci/runtime-config.ts';
import type { VolumeMount } from '../record.ts';
import { splitCsv, splitPair } from './csv.ts';
import {
  checkMountWords,
  containerPath,
  existingPath,
  idmapRefusal,
  PROPAGATIONS,
} from './mount-words.ts';
import { tmpfsMount } from './tmpfs-option.ts';
import { checkVolumeOptions } from './volume-options.ts';
import { checkVolumeName } from './volumes.ts';

/** Other names of a key. */
const ALIASES: Readonly<Record<string, string>> = {
  src: 'source',
  dst: 'target',
  dest: 'target',
  destination: 'target',
  readonly: 'ro',
  chown: 'U',
  'volume-nocopy': 'nocopy',
  'volume-subpath': 'subpath',
  'image-subpath': 'subpath',
  propagation: 'bind-propagation',
};

/** These may be given several times. */
const REPEATABLE: ReadonlySet<string> = new Set(['volume-opt', 'volume-label']);

/** Parses `--mount type=TYPE,…`. @throws UsageError, TsmanError */
export function parseMount(text: string): (VolumeMount | RuntimeMount)[] {
  const what = `option --mount ${text}`;
  const fields = new Map<string, string>();
  for (const [key, value] of splitCsv(text).map(splitPair)) {
    const name = ALIASES[key] ?? key;
    const first = fields.get(name);
    if (first !== undefined && !REPEATABLE.has(name))
      throw new UsageError(`${what}: ${key}= is given twice`);
    fields.set(name, first === undefined ? value : `${first}\n${value}`);
  }
  const type = take(fields, 'type') || 'volume';
  const target = take(fields, 'target');
  if (target === undefined) throw new UsageError(`${what}: target= is missing`);
  const destination = containerPath(target, what);
  switch (type) {
    case 'bind':
    case 'glob':
      return bindMounts(fields, type, destination, what);
    case 'volume':
      return [volumeMount(fields, destination, what)];
    case 'image':
      return [imageMount(fields, destination, what)];
    case 'tmpfs':
      return [tmpfsMount(destination, tmpfsWords(fields, what))];
    case 'ramfs':
      return [
        { ...tmpfsMount(destination, tmpfsWords(fields, what)), type: 'ramfs', source: 'ramfs' },
      ];
    case 'devpts':
      return [devptsMount(fields, destination, what)];
    case 'artifact':
      throw new TsmanError(`${what}: artifacts are not supported by this version`);
    default:
      throw new UsageError(`${what}: unknown type ${JSON.stringify(type)}`, {
        hint: 'types are bind, volume, tmpfs, image, ramfs, devpts and glob',
      });
  }
}

function take(fields: Map<string, string>, key: string): string | undefined {
  const value = fields.get(key);
  fields.delete(key);
  return value;
}

/** What is left: the words that `-v` knows as well. */
function otherWords(fields: Map<string, string>, what: string): string[] {
  const words: string[] = [];
  for (const [key, value] of fields) {
    const isOn = value === '' || value === 'true' || value === '1';
    if (key === 'consistency') continue; // Docker Desktop's; means nothing on Linux.
    if (key === 'idmap') throw idmapRefusal(what);
    if (key === 'bind-propagation') words.push(propagationWord(value, what));
    else if (key === 'relabel') words.push(value === 'private' ? 'Z' : 'z');
    else if (key === 'ro') words.push(isOn ? 'ro' : 'rw');
    else if (key === 'rw') words.push(isOn ? 'rw' : 'ro');
    else if (key === 'bind-nonrecursive') words.push(isOn ? 'bind' : 'rbind');
    else if (key === 'bind-recursive') words.push(value === 'disabled' ? 'bind' : 'rbind');
    else if (value === '' || value === 'true') words.push(key);
    else if (value !== 'false') throw new UsageError(`${what}: unknown key ${JSON.stringify(key)}`);
  }
  checkMountWords(words, what);
  return words;
}

/** A propagation and nothing else: no other word of a mount comes in by it (CVE-2024-9407). */
function propagationWord(value: string, what: string): string {
  if (PROPAGATIONS.includes(value)) return value;
  throw new UsageError(`${what}: unknown propagation ${JSON.stringify(value)}`, {
    hint: `known are ${PROPAGATIONS.join(', ')}`,
  });
}

function bindMounts(
  fields: Map<string, string>,
  type: 'bind' | 'glob',
  destination: string,
  what: string,
): VolumeMount[] {
  const source = take(fields, 'source');
  if (source === undefined || source === '') throw new UsageError(`${what}: source= is missing`);
  const isKept = ['', 'true', '1'].includes(take(fields, 'no-dereference') ?? 'false');
  const options = [...otherWords(fields, what), ...(isKept ? ['no-dereference'] : [])];
  if (type === 'bind')
    return [{ type: 'bind', source: existingPath(source), destination, options }];
  const found = globSync(source).sort();
  if (found.length === 0) throw new TsmanError(`${what}: nothing matches ${source}`);
  return found.map((path) => ({
    type: 'bind',
    source: existingPath(path),
    destination: join(destination, basename(path)),
    options,
  }));
}

function volumeMount(fields: Map<string, string>, destination: string, what: string): VolumeMount {
  const name = take(fields, 'source') || undefined;
  if (name !== undefined) checkVolumeName(name);
  const driver = take(fields, 'volume-driver');
  if (driver !== undefined && driver !== 'local')
    throw new TsmanError(`${what}: there is no volume driver ${JSON.stringify(driver)}`);
  const subpath = take(fields, 'subpath');
  const create = newVolume(fields, what);
  return {
    ...{ type: 'volume', source: '', destination, options: otherWords(fields, what) },
    ...(name === undefined ? {} : { name }),
    ...(subpath === undefined ? {} : { subpath }),
    ...(create === undefined ? {} : { create }),
  };
}

/** `volume-opt=KEY=VALUE` and `volume-label=KEY[=VALUE]`, for a volume that this mount makes. */
function newVolume(fields: Map<string, string>, what: string): VolumeMount['create'] {
  const pairs = (key: string): Record<string, string> =>
    Object.fromEntries(
      (take(fields, key) ?? '')
        .split('\n')
        .filter((text) => text !== '')
        .map(splitPair),
    );
  const [labels, options] = [pairs('volume-label'), pairs('volume-opt')];
  if (Object.keys(labels).length + Object.keys(options).length === 0) return undefined;
  checkVolumeOptions(options, what);
  return { labels, options };
}

function imageMount(fields: Map<string, string>, destination: string, what: string): VolumeMount {
  const source = take(fields, 'source');
  if (source === undefined || source === '')
    throw new UsageError(`${what}: source= is missing: an image`);
  const subpath = take(fields, 'subpath');
  return {
    ...{ type: 'image', source, destination, options: otherWords(fields, what) },
    ...(subpath === undefined ? {} : { subpath }),
  };
}

function tmpfsWords(fields: Map<string, string>, what: string): string[] {
  return [...fields].map(([key, value]) => {
    if (key === 'tmpfs-size' || key === 'size') return `size=${parseSizeBytes(value, what)}`;
    if (key === 'tmpfs-mode' || key === 'mode') return `mode=${value}`;
    if (key === 'ro') return value === 'false' ? 'rw' : 'ro';
    return value === '' || value === 'true' ? key : `${key}=${value}`;
  });
}

const DEVPTS_KEYS = ['uid', 'gid', 'mode', 'max', 'ptmxmode'];

function devptsMount(fields: Map<string, string>, destination: string, what: string): RuntimeMount {
  const options = ['nosuid', 'noexec', 'newinstance'];
  for (const [key, value] of fields) {
    if (!DEVPTS_KEYS.includes(key) || !/^\d+$/.test(value))
      throw new UsageError(`${what}: unknown key ${JSON.stringify(key)}, or not a number`);
    options.push(`${key}=${value}`);
  }
  return { type: 'devpts', source: 'devpts', destination, options };
}
