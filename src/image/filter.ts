import { UsageError } from '../base/error.ts';
import { familiarName, parseReference } from '../oci/reference.ts';
import { requireImage } from '../storage/image-lookup.ts';
import { containersUsing, type ImageRecord, readImageConfig } from '../storage/images.ts';
import type { Storage } from '../storage/storage.ts';

type Test = (image: ImageRecord) => boolean;

/**
 * The images that pass `--filter KEY=VALUE`. Tests of different keys must all hold; of several
 * `reference` or `id` one, of several `label` all, as in Docker. `KEY!=VALUE` turns a test round.
 */
export function filterImages(
  storage: Storage,
  images: readonly ImageRecord[],
  filters: readonly string[],
): ImageRecord[] {
  const groups = new Map<string, Test[]>();
  for (const [i, filter] of filters.entries()) {
    const match = /^([a-z]+)(!?)=(.*)$/s.exec(filter);
    if (match === null)
      throw new UsageError(`option --filter: ${JSON.stringify(filter)} is not KEY=VALUE`);
    const [, key = '', negated, value = ''] = match;
    const test = makeTest(storage, key, value);
    const group = (key === 'reference' || key === 'id') && negated === '' ? key : String(i);
    groups.set(group, [
      ...(groups.get(group) ?? []),
      negated === '' ? test : (image) => !test(image),
    ]);
  }
  return images.filter((image) =>
    [...groups.values()].every((tests) => tests.some((test) => test(image))),
  );
}

function makeTest(storage: Storage, key: string, value: string): Test {
  switch (key) {
    case 'dangling':
      return equalsFlag(key, value, (image) => image.names.length === 0);
    case 'reference':
      return (image) => image.names.some((name) => matchesReference(name, value));
    case 'label':
      return hasLabel(storage, value);
    case 'before':
      return isOlder(Date.parse(requireImage(storage, value).createdAt));
    case 'since':
    case 'after': {
      const limit = Date.parse(requireImage(storage, value).createdAt);
      return (image) => Date.parse(image.createdAt) > limit;
    }
    case 'until':
      return isOlder(parseTime(value));
    case 'id':
      return (image) => image.id.startsWith(value.replace(/^sha256:/, ''));
    case 'digest':
      return (image) => image.manifestDigest.startsWith(value);
    case 'manifest':
      // Lists are not among the images: tsman manifest inspect shows them.
      return equalsFlag(key, value, () => false);
    case 'intermediate':
    case 'readonly':
      // Builds keep no images between steps, and there are no read-only stores.
      return equalsFlag(key, value, () => false);
    case 'containers':
      return equalsFlag(key, value, (image) => containersUsing(storage, image.id).length > 0);
    default:
      throw new UsageError(`option --filter: no filter ${JSON.stringify(key)}`, {
        hint: 'there are after, before, containers, dangling, digest, id, intermediate, label, manifest, readonly, reference, since, until',
      });
  }
}

function isOlder(limit: number): Test {
  return (image) => Date.parse(image.createdAt) < limit;
}

function equalsFlag(key: string, value: string, test: Test): Test {
  if (!/^(true|false|1|0)$/.test(value))
    throw new UsageError(`option --filter: ${key}=${value}: want true or false`);
  const wanted = value === 'true' || value === '1';
  return (image) => test(image) === wanted;
}

function hasLabel(storage: Storage, value: string): Test {
  const [key = '', ...rest] = value.split('=');
  const wanted = rest.length === 0 ? undefined : rest.join('=');
  return (image) => {
    const labels = readImageConfig(storage, image).config?.Labels ?? {};
    return Object.hasOwn(labels, key) && (wanted === undefined || labels[key] === wanted);
  };
}

/** True when a recorded name fits what `images NAME` or `reference=NAME` says: shell patterns against the full and the short name, with and without the tag. */
export function matchesReference(name: string, pattern: string): boolean {
  const reference = parseReference(name);
  const forms = [
    name,
    familiarName(reference),
    name.replace(/^[^/]+\//, ''),
    name.replace(/^.*\//, ''),
  ];
  const glob = globExpression(pattern);
  return forms.some(
    (form) => glob.test(form) || glob.test(form.replace(/@.*$/, '').replace(/:[^/:]*$/, '')),
  );
}

/** Go's path.Match: `*` and `?` stop at a slash. */
function globExpression(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  try {
    return new RegExp(`^${source}$`);
  } catch (cause) {
    throw new UsageError(`option --filter: bad pattern ${JSON.stringify(pattern)}`, { cause });
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `24h`, `10m30s`: so long ago; a Unix time; or a date. */
function parseTime(text: string): number {
  if (/^(\d+(\.\d+)?[smhd])+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
    return (
      Date.now() -
      parts.reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? 's'] ?? 0), 0)
    );
  }
  const time = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text);
  if (Number.isNaN(time))
    throw new UsageError(`option --filter: until=${text}: want 24h, a Unix time or a date`);
  return time;
}
