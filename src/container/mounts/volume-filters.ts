import { UsageError } from '../../base/error.ts';
import { parseMoment } from '../../base/time.ts';
import type { Storage } from '../../storage/storage.ts';
import { findVolume, type Volume, volumeUsers } from '../../storage/volumes.ts';

type Test = (volume: Volume) => boolean;

/** The volumes that pass `--filter KEY=VALUE`: between keys all must hold, between values of one any; of labels, and of what is not to be, all. */
export function filterVolumes(
  storage: Storage,
  volumes: readonly Volume[],
  filters: readonly string[],
): Volume[] {
  const groups = new Map<string, Test[]>();
  for (const [i, text] of filters.entries()) {
    const match = /^([a-z-]+)(!?)=(.*)$/s.exec(text);
    if (match === null)
      throw new UsageError(`option --filter: ${JSON.stringify(text)} is not KEY=VALUE`);
    const [, key = '', negated = '', value = ''] = match;
    const test = makeTest(storage, key, value);
    if (negated !== '') groups.set(`${i}`, [(volume) => !test(volume)]);
    else if (key === 'label') groups.set(`${i}`, [test]);
    else groups.set(key, [...(groups.get(key) ?? []), test]);
  }
  return volumes.filter((volume) =>
    [...groups.values()].every((tests) => tests.some((test) => test(volume))),
  );
}

function makeTest(storage: Storage, key: string, value: string): Test {
  switch (key) {
    case 'name':
      return nameTest(value);
    case 'label':
      return ({ labels }) => matchesPair(labels, value);
    case 'opt':
      return ({ options }) => matchesPair(options, value);
    case 'driver':
    case 'scope':
      return () => value === 'local';
    case 'dangling':
      return ({ name }) => (volumeUsers(storage, name).length === 0) === isTrue(key, value);
    case 'anonymous':
      return ({ isAnonymous }) => isAnonymous === isTrue(key, value);
    case 'until':
      return ({ createdAt }) => new Date(createdAt) < parseMoment('--filter until', value);
    case 'since':
    case 'after': {
      const limit = new Date(findVolume(storage, value).createdAt);
      return ({ createdAt }) => new Date(createdAt) > limit;
    }
    default:
      throw new UsageError(`option --filter: unknown key ${JSON.stringify(key)}`);
  }
}

function isTrue(key: string, value: string): boolean {
  if (/^(true|1)$/.test(value)) return true;
  if (/^(false|0)$/.test(value)) return false;
  throw new UsageError(`option --filter ${key}=${value}: want true or false`);
}

function nameTest(pattern: string): Test {
  try {
    const expression = new RegExp(pattern);
    return ({ name }) => expression.test(name);
  } catch {
    throw new UsageError(`option --filter name=${pattern}: not a regular expression`);
  }
}

function matchesPair(record: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  if (equals === -1) return Object.hasOwn(record, wanted);
  return record[wanted.slice(0, equals)] === wanted.slice(equals + 1);
}
