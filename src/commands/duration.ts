import { UsageError } from '../base/error.ts';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Parses Go's durations (`500ms`, `2s`, `1m30s`); a bare number means seconds. */
export function durationMs(text: string, option: string): number {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) {
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a duration`, {
      hint: 'e.g. 500ms, 2s or 1m30s',
    });
  }
  let sum = 0;
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    sum += Number(number) * (UNITS[unit ?? ''] ?? 0);
  return sum;
}
