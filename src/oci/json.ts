import { TsmanError } from '../base/error.ts';

/**
 * Reading JSON from strangers: each getter checks the type and the size and says where it went
 * wrong (`config.Env[3]`). Values keep their shape; nothing is converted.
 */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Deeper documents are attacks on recursive readers. */
const MAX_DEPTH = 32;
export const MAX_ENTRIES = 10_000;

/** @throws TsmanError in one line, for bytes that are no JSON object in UTF-8 */
export function parseJsonObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new TsmanError(`${what} is not JSON`, { cause });
  }
  checkDepth(value, what, 0);
  return asObject(value, what);
}

function checkDepth(value: unknown, what: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new TsmanError(`${what} is nested deeper than ${MAX_DEPTH}`);
  for (const inner of Object.values(value)) checkDepth(inner, what, depth + 1);
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, 'an object');
  return value as JsonObject;
}

export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw wrong(where, 'a string');
  return value;
}

export function asSize(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw wrong(where, 'a size in bytes');
  return value;
}

export function asArray(value: unknown, where: string, limit = MAX_ENTRIES): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(where, 'a list');
  if (value.length > limit)
    throw new TsmanError(`${where} has ${value.length} entries, the limit is ${limit}`);
  return value;
}

export function asStrings(value: unknown, where: string): readonly string[] {
  return asArray(value, where).map((entry, i) => asString(entry, `${where}[${i}]`));
}

export function asStringMap(value: unknown, where: string): Readonly<Record<string, string>> {
  const entries = Object.entries(asObject(value, where));
  if (entries.length > MAX_ENTRIES)
    throw new TsmanError(`${where} has ${entries.length} entries, the limit is ${MAX_ENTRIES}`);
  return Object.fromEntries(entries.map(([key, text]) => [key, asString(text, `${where}.${key}`)]));
}

/** Applies a getter unless the key is missing; Go's encoders write null for an empty list. */
export function optional<T>(
  value: unknown,
  where: string,
  read: (value: unknown, where: string) => T,
): T | undefined {
  return value === undefined || value === null ? undefined : read(value, where);
}

function wrong(where: string, wanted: string): TsmanError {
  return new TsmanError(`${where} is not ${wanted}`);
}
