import { UsageError } from './error.ts';

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/** Parses `512`, `64k`, `10m`, `1g`, `10MiB`: bytes, units are powers of 1024 as in Docker's run options. @throws UsageError */
export function parseSizeBytes(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([bkmgtp])?(?:i?b)?$/i.exec(text);
  if (match === null)
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a size`, {
      hint: 'a number with b, k, m or g, e.g. 64m',
    });
  return Math.floor(Number(match[1]) * (UNITS[(match[2] ?? 'b').toLowerCase()] ?? 1));
}
