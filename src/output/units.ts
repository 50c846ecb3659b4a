/** Numbers and times in the words Docker and Podman use. */

const DECIMAL_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Four significant digits at most, as go-units' HumanSize: `116 MB`, `7.33 MB`, `13.3 kB`, `0 B`. */
export function humanSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(3))} ${DECIMAL_UNITS[unit]}`;
}

const SECONDS_OF = {
  minute: 60,
  hour: 3600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_536_000,
} as const;

/** go-units' HumanDuration: `About an hour`, `3 days`, `2 weeks`. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  const count = (unit: keyof typeof SECONDS_OF): string =>
    `${Math.floor(seconds / SECONDS_OF[unit])} ${unit}s`;
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  if (seconds < 120) return 'About a minute';
  if (seconds < SECONDS_OF.hour) return count('minute');
  const hours = Math.round(seconds / SECONDS_OF.hour);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return count('day');
  if (hours < 24 * 30 * 2) return count('week');
  if (hours < 24 * 365 * 2) return count('month');
  return count('year');
}

/** `2 weeks ago`, from RFC 3339; images without a date are as old as Go's zero time. */
export function humanSince(time: string, nowMs = Date.now()): string {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) return 'N/A';
  return `${humanDuration(Math.max(0, nowMs - ms))} ago`;
}

/** The same without the space and with four digits, as in `stats`: `1.229MB`. */
export function compactSize(sizeBytes: number): string {
  let value = sizeBytes;
  let unit = 0;
  while (value >= 1000 && unit < DECIMAL_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${Number(value.toPrecision(4))}${DECIMAL_UNITS[unit]}`;
}
