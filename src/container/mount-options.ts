import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../base/error.ts';
import { parseSizeBytes } from '../base/size.ts';
import type { RuntimeMount } from '../oci/runtime-config.ts';
import type { VolumeMount } from './record.ts';

const BIND_WORDS = new Set([
  'ro',
  'rw',
  'z',
  'Z',
  'nosuid',
  'suid',
  'nodev',
  'dev',
  'noexec',
  'exec',
  'bind',
  'rbind',
  'shared',
  'rshared',
  'slave',
  'rslave',
  'private',
  'rprivate',
  'unbindable',
  'runbindable',
]);

/** Parses `-v HOST-DIR:CONTAINER-DIR[:OPTIONS]`. @throws UsageError, or TsmanError when the source is missing */
export function parseVolume(text: string): VolumeMount {
  const [source = '', destination, optionText = '', ...more] = text.split(':');
  if (more.length > 0)
    throw new UsageError(`option --volume ${text}: too many colons`, {
      hint: 'the form is HOST-DIR:CONTAINER-DIR[:OPTIONS]',
    });
  if (destination === undefined || !isHostPath(source)) {
    throw new UsageError(
      `option --volume ${text}: named and anonymous volumes are not supported by this version`,
      {
        hint: 'give a host path that begins with / or ./, as in -v ./data:/data',
      },
    );
  }
  if (!destination.startsWith('/'))
    throw new UsageError(
      `option --volume ${text}: the container path ${JSON.stringify(destination)} is not absolute`,
    );
  const options = optionText.split(',').filter((word) => word !== '');
  for (const word of options) {
    if (!BIND_WORDS.has(word))
      throw new UsageError(
        `option --volume ${text}: unknown or unsupported mount option ${JSON.stringify(word)}`,
      );
  }
  return { source: existing(source), destination: normalisePath(destination), options };
}

function isHostPath(source: string): boolean {
  return (
    source.startsWith('/') ||
    source.startsWith('./') ||
    source.startsWith('../') ||
    source === '.' ||
    source === '..'
  );
}

function existing(source: string): string {
  const path = resolve(source);
  if (existsSync(path)) return path;
  throw new TsmanError(`bind mount ${path}: no such file or directory`, {
    hint: `create it first: mkdir -p ${path}`,
  });
}

/** Parses `--mount type=bind|tmpfs,…`. @throws UsageError */
export function parseMount(text: string): VolumeMount | RuntimeMount {
  const fields = new Map(text.split(',').map((part) => splitPair(part)));
  const type = fields.get('type') ?? 'volume';
  const destination =
    fields.get('target') ?? fields.get('destination') ?? fields.get('dst') ?? fields.get('dest');
  if (destination === undefined || !destination.startsWith('/')) {
    throw new UsageError(
      `option --mount ${text}: target= must be an absolute path in the container`,
    );
  }
  const options = mountWords(text, fields);
  if (type === 'tmpfs') return tmpfsMount(destination, options);
  if (type !== 'bind')
    throw new UsageError(
      `option --mount ${text}: type ${JSON.stringify(type)} is not supported by this version`,
      { hint: 'types are bind and tmpfs' },
    );
  const source = fields.get('source') ?? fields.get('src');
  if (source === undefined) throw new UsageError(`option --mount ${text}: source= is missing`);
  return { source: existing(source), destination: normalisePath(destination), options };
}

const PLACE_KEYS = new Set(['type', 'source', 'src', 'target', 'destination', 'dst', 'dest']);

function mountWords(text: string, fields: ReadonlyMap<string, string>): string[] {
  const words: string[] = [];
  for (const [key, value] of fields) {
    if (PLACE_KEYS.has(key)) continue;
    if (key === 'ro' || key === 'readonly') words.push(value === 'false' ? 'rw' : 'ro');
    else if (key === 'rw') words.push(value === 'false' ? 'ro' : 'rw');
    else if (key === 'bind-propagation' && BIND_WORDS.has(value)) words.push(value);
    else if (key === 'tmpfs-size')
      words.push(`size=${parseSizeBytes(value, '--mount tmpfs-size')}`);
    else if (key === 'tmpfs-mode' && /^[0-7]{3,4}$/.test(value)) words.push(`mode=${value}`);
    else if (BIND_WORDS.has(key) && value === '') words.push(key);
    else
      throw new UsageError(
        `option --mount ${text}: unknown or unsupported key ${JSON.stringify(key)}`,
      );
  }
  return words;
}

function splitPair(part: string): [string, string] {
  const equals = part.indexOf('=');
  return equals === -1 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
}

const TMPFS_FLAGS = new Set([
  'ro',
  'rw',
  'nosuid',
  'suid',
  'nodev',
  'dev',
  'noexec',
  'exec',
  'noatime',
  'relatime',
  'nodiratime',
  'strictatime',
]);
const TMPFS_DATA =
  /^(size=\d+[kmgtKMGT%]?|mode=[0-7]{3,4}|uid=\d+|gid=\d+|nr_inodes=\d+[kmgKMG]?|nr_blocks=\d+[kmgKMG]?)$/;

/** Parses `--tmpfs DIR[:OPTIONS]`. @throws UsageError */
export function parseTmpfs(text: string): RuntimeMount {
  const colon = text.indexOf(':');
  const destination = colon === -1 ? text : text.slice(0, colon);
  if (!destination.startsWith('/'))
    throw new UsageError(`option --tmpfs ${text}: ${JSON.stringify(destination)} is not absolute`);
  return tmpfsMount(
    destination,
    colon === -1
      ? []
      : text
          .slice(colon + 1)
          .split(',')
          .filter((word) => word !== ''),
  );
}

function tmpfsMount(destination: string, words: readonly string[]): RuntimeMount {
  for (const word of words) {
    if (!TMPFS_FLAGS.has(word) && !TMPFS_DATA.test(word))
      throw new UsageError(`tmpfs on ${destination}: unknown option ${JSON.stringify(word)}`);
  }
  const defaults = [
    'nosuid',
    'nodev',
    ...(words.some((word) => word.startsWith('mode=')) ? [] : ['mode=1777']),
  ];
  const options = defaults.filter((word) => !words.includes(word.replace(/^no/, '')));
  return {
    destination: normalisePath(destination),
    type: 'tmpfs',
    source: 'tmpfs',
    options: [...options, ...words],
  };
}

function normalisePath(path: string): string {
  return resolve('/', path);
}
