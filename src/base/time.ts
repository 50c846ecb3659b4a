import { UsageError } from './error.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

/** Parses Go's durations, `1h30m`, `1.5s`, `300ms`, into milliseconds; undefined when it is none. */
export function parseDurationMs(text: string): number | undefined {
  if (text === '0') return 0;
  let total = 0;
  let rest = text.replace(/^[+-]/, '');
  if (rest === '') return undefined;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/.exec(rest);
    if (match === null) return undefined;
    total += Number(match[1]) * (UNIT_MS[match[2] as string] ?? 0);
    rest = rest.slice(match[0].length);
  }
  return text.startsWith('-') ? -total : total;
}

/**
 * Parses what `--since` and `--until` take: RFC 3339, a date, seconds since 1970, or a duration (`10m`),
 * which counts back from now, with `ahead` forward (Podman's `--until`).
 * @throws UsageError
 */
export function parseMoment(option: string, text: string, ahead = false): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const durationMs = parseDurationMs(text);
  if (durationMs !== undefined) return new Date(Date.now() + (ahead ? durationMs : -durationMs));
  // A date without a zone is local time, as in Docker.
  const date = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(date.getTime())) {
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} is not a time`, {
      hint: 'e.g. 10m, 2026-01-31, 2026-01-31T12:00:00Z, or seconds since 1970',
    });
  }
  return date;
}
