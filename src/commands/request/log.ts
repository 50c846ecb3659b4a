import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../../base/error.ts';
import { parseSizeBytes } from '../../base/size.ts';
import { hasJournal, JOURNAL_SOCKET } from '../../container/logs/journal-socket.ts';
import type { LogDriver, LogSettings } from '../../container/record.ts';
import { parsePairs, parseWhole } from './values.ts';

/** The drivers, and what `--log-opt` means to each. */
const DRIVER_KEYS: Readonly<Record<LogDriver, readonly string[]>> = {
  'k8s-file': ['path', 'max-size', 'max-file', 'mode'],
  'json-file': [
    ...['path', 'max-size', 'max-file', 'mode', 'tag'],
    ...['labels', 'labels-regex', 'env', 'env-regex'],
  ],
  journald: ['tag', 'label', 'labels', 'labels-regex', 'env', 'env-regex', 'mode'],
  none: [],
  passthrough: [],
};
const LOG_DRIVERS = Object.keys(DRIVER_KEYS);

/** passthrough passes a terminal on as well. */
const DRIVER_ALIASES: Readonly<Record<string, LogDriver>> = {
  '': 'k8s-file',
  'passthrough-tty': 'passthrough',
};

/** Parses `--log-driver` and `--log-opt`. @throws UsageError, TsmanError */
export function parseLog(driver: string | undefined, options: readonly string[]): LogSettings {
  const chosen = parseDriver(driver);
  const pairs = parsePairs('--log-opt', options);
  for (const key of Object.keys(pairs)) checkKey(chosen, key);
  if (pairs['mode'] !== undefined && pairs['mode'] !== 'blocking')
    throw new TsmanError('option --log-opt mode: output is never dropped here, so only "blocking"');
  return {
    driver: chosen,
    path: pairs['path'] === undefined ? undefined : resolve(pairs['path']),
    maxSizeBytes:
      pairs['max-size'] === undefined ? 0 : parseSizeBytes(pairs['max-size'], '--log-opt max-size'),
    maxFiles: parseWhole('--log-opt max-file', pairs['max-file'] ?? '1', 1, 1000),
    ...(pairs['tag'] === undefined ? {} : { tag: pairs['tag'] }),
    ...parseAttributes(pairs, options),
  };
}

function parseDriver(driver: string | undefined): LogDriver {
  const chosen = DRIVER_ALIASES[driver ?? ''] ?? driver ?? 'k8s-file';
  if (chosen === 'local')
    throw new TsmanError('option --log-driver: local is not supported', {
      hint: 'use k8s-file or json-file',
    });
  if (!LOG_DRIVERS.includes(chosen))
    throw new UsageError(`option --log-driver: no driver ${JSON.stringify(chosen)}`, {
      hint: `drivers are ${LOG_DRIVERS.join(', ')}`,
    });
  if (chosen === 'journald' && !hasJournal())
    throw new TsmanError(
      `option --log-driver: there is no journal on this machine (${JOURNAL_SOCKET})`,
      { hint: 'use k8s-file or json-file' },
    );
  return chosen as LogDriver;
}

/** What one driver would pass over in silence is refused: a tag in no log helps nobody. */
function checkKey(driver: LogDriver, key: string): void {
  if (DRIVER_KEYS[driver].includes(key)) return;
  const others = LOG_DRIVERS.filter((name) => DRIVER_KEYS[name as LogDriver].includes(key));
  if (others.length === 0)
    throw new UsageError(`option --log-opt: unknown ${JSON.stringify(key)}`, {
      hint: `known to ${driver}: ${DRIVER_KEYS[driver].join(', ') || 'none'}`,
    });
  throw new UsageError(`option --log-opt ${key}: the log driver ${driver} has no such thing`, {
    hint: `it works with --log-driver ${others.join(' or ')}`,
  });
}

function parseAttributes(
  pairs: Readonly<Record<string, string>>,
  options: readonly string[],
): Pick<LogSettings, 'attributes'> {
  const names = (key: string): string[] => pairs[key]?.split(',').filter((it) => it !== '') ?? [];
  const attributes = {
    labels: names('labels'),
    env: names('env'),
    labelsPattern: pattern('labels-regex', pairs['labels-regex']),
    envPattern: pattern('env-regex', pairs['env-regex']),
    fields: parseFields(options),
  };
  const isEmpty = Object.values(attributes).every((value) => value.length === 0);
  return isEmpty ? {} : { attributes };
}

function pattern(key: string, source = ''): string {
  try {
    new RegExp(source);
  } catch {
    throw new UsageError(
      `option --log-opt ${key}: ${JSON.stringify(source)} is no regular expression`,
    );
  }
  return source;
}

/** `label=NAME=VALUE`, as often as one likes: a field of the journal (conmon(8), --log-label). */
function parseFields(options: readonly string[]): (readonly [string, string])[] {
  return options
    .filter((option) => option.startsWith('label='))
    .map((option) => {
      const [, name = '', value = ''] = /^label=([A-Z][A-Z0-9_]*)=(.*)$/s.exec(option) ?? [];
      if (name === '')
        throw new UsageError(
          `option --log-opt label: ${JSON.stringify(option.slice(6))} is not NAME=VALUE`,
          {
            hint: 'NAME is a field of the journal: capital letters, digits and "_"',
          },
        );
      return [name, value] as const;
    });
}
