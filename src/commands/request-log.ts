import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../base/error.ts';
import { parseSizeBytes } from '../base/size.ts';
import type { LogDriver, LogSettings } from '../container/record.ts';
import { parsePairs, parseWhole } from './request-values.ts';

const LOG_DRIVERS: readonly string[] = ['k8s-file', 'json-file', 'none', 'passthrough'];

/** Drivers of Docker and Podman that are known and refused, with what to use instead. */
const OTHER_DRIVERS: Readonly<Record<string, string>> = {
  journald: 'the journal is not written to; a systemd unit with --log-driver passthrough is',
  local: 'use k8s-file or json-file',
};

/** passthrough passes a terminal on as well. */
const DRIVER_ALIASES: Readonly<Record<string, LogDriver>> = {
  '': 'k8s-file',
  'passthrough-tty': 'passthrough',
};

const KNOWN_KEYS = ['path', 'max-size', 'max-file', 'tag', 'label', 'labels', 'mode'];

/** Parses `--log-driver` and `--log-opt`. @throws UsageError, TsmanError */
export function parseLog(driver: string | undefined, options: readonly string[]): LogSettings {
  const chosen = DRIVER_ALIASES[driver ?? ''] ?? driver ?? 'k8s-file';
  const other = OTHER_DRIVERS[chosen];
  if (other !== undefined)
    throw new TsmanError(`option --log-driver: ${chosen} is not supported`, { hint: other });
  if (!LOG_DRIVERS.includes(chosen))
    throw new UsageError(`option --log-driver: no driver ${JSON.stringify(chosen)}`, {
      hint: `drivers are ${LOG_DRIVERS.join(', ')}`,
    });
  const pairs = parsePairs('--log-opt', options);
  for (const key of Object.keys(pairs)) {
    if (!KNOWN_KEYS.includes(key))
      throw new UsageError(`option --log-opt: unknown ${JSON.stringify(key)}`, {
        hint: `known are ${KNOWN_KEYS.join(', ')}`,
      });
  }
  if (pairs['mode'] !== undefined && pairs['mode'] !== 'blocking')
    throw new TsmanError('option --log-opt mode: output is never dropped here, so only "blocking"');
  if (pairs['label'] !== undefined || pairs['labels'] !== undefined)
    throw new TsmanError('option --log-opt labels: labels are not written into a log', {
      hint: 'tsman inspect tells them',
    });
  return {
    driver: chosen as LogDriver,
    path: pairs['path'] === undefined ? undefined : resolve(pairs['path']),
    maxSizeBytes:
      pairs['max-size'] === undefined ? 0 : parseSizeBytes(pairs['max-size'], '--log-opt max-size'),
    maxFiles: parseWhole('--log-opt max-file', pairs['max-file'] ?? '1', 1, 1000),
    ...(pairs['tag'] === undefined ? {} : { tag: pairs['tag'] }),
  };
}
