import { TsmanError } from '../base/error.ts';

/** One `[[registry]]` of registries.conf; see containers-registries.conf(5). */
export interface RegistryRule {
  /** What a reference must begin with: `host[:port][/path]` or `*.example.com`. */
  readonly prefix: string;
  /** What takes the prefix's place; undefined: nothing does. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly Mirror[];
}

export interface Mirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pullFrom: 'all' | 'digest-only' | 'tag-only';
}

type Table = Record<string, unknown>;

const RULE_KEYS = ['prefix', 'location', 'insecure', 'blocked', 'mirror-by-digest-only', 'mirror'];
const MIRROR_KEYS = ['location', 'insecure', 'pull-from-mirror'];

/** Whether a value of TOML is a table. */
export function isTable(value: unknown): value is Table {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The `[[registry]]` tables of one file. @throws TsmanError for what cannot be meant, as Podman does */
export function readRules(value: unknown): RegistryRule[] {
  const rules = readTables(value, 'registry').map(readRule);
  const byPrefix = new Map<string, RegistryRule>();
  for (const rule of rules) {
    const { insecure, blocked } = byPrefix.get(rule.prefix) ?? rule;
    if (insecure !== rule.insecure || blocked !== rule.blocked)
      throw new TsmanError(
        `registry ${rule.prefix} is there twice, with another ${insecure === rule.insecure ? 'blocked' : 'insecure'}`,
      );
    byPrefix.set(rule.prefix, rule);
  }
  return rules;
}

function readRule(table: Table): RegistryRule {
  checkKeys(table, '[[registry]]', RULE_KEYS);
  const location = readPlace(table, 'location');
  const prefix = readPlace(table, 'prefix') ?? location;
  if (prefix === undefined || prefix === '')
    throw new TsmanError('[[registry]] without prefix and location');
  if (prefix.startsWith('*.') && prefix.includes('/')) {
    throw new TsmanError(`prefix ${prefix}: with *. only a host may follow`);
  }
  const byDigestOnly = readFlag(table, 'mirror-by-digest-only');
  return {
    prefix,
    location,
    insecure: readFlag(table, 'insecure'),
    blocked: readFlag(table, 'blocked'),
    mirrors: readTables(table['mirror'], 'mirror').map((mirror) =>
      readMirror(mirror, byDigestOnly),
    ),
  };
}

function readMirror(table: Table, byDigestOnly: boolean): Mirror {
  checkKeys(table, '[[registry.mirror]]', MIRROR_KEYS);
  const location = readPlace(table, 'location');
  if (location === undefined || location === '')
    throw new TsmanError('[[registry.mirror]] without location');
  const pullFrom = table['pull-from-mirror'];
  if (byDigestOnly && pullFrom !== undefined)
    throw new TsmanError('mirror-by-digest-only and pull-from-mirror exclude each other');
  return {
    location,
    insecure: readFlag(table, 'insecure'),
    pullFrom:
      pullFrom === undefined
        ? byDigestOnly
          ? 'digest-only'
          : 'all'
        : readChoice(pullFrom, 'pull-from-mirror', ['all', 'digest-only', 'tag-only']),
  };
}

/** A slip such as `blokced = true` must not let in what was to be kept out. */
function checkKeys(table: Table, place: string, known: readonly string[]): void {
  const unknown = Object.keys(table).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new TsmanError(`${place} has no key ${unknown}`);
}

/** `host[:port][/path]`, without the slash at its end. */
function readPlace(table: Table, key: string): string | undefined {
  const value = table[key];
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw new TsmanError(`${key} is not a string`);
  if (value.includes('://'))
    throw new TsmanError(`${key} ${value} has a scheme, which is not supported`, {
      hint: 'write the host only; insecure = true allows plain http',
    });
  return value.replace(/\/+$/, '');
}

function readFlag(table: Table, key: string): boolean {
  const value = table[key];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new TsmanError(`${key} is neither true nor false`);
}

function readTables(value: unknown, key: string): Table[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every(isTable)) return value;
  throw new TsmanError(`${key} is not a list of tables`);
}

/** @throws TsmanError for another word */
export function readChoice<T extends string>(
  value: unknown,
  key: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new TsmanError(`${key} is none of ${choices.join(', ')}`);
  return found;
}
