import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { TsmanError, UsageError } from '../../base/error.ts';
import type { HealthSettings } from '../../container/health/health.ts';
import {
  changeHealth,
  type HealthChange,
  type HealthRequest,
  STARTUP_DEFAULTS,
  type StartupProbe,
} from '../../container/health/request.ts';
import type { ContainerUpdate } from '../../container/update.ts';
import type { OptionValues } from '../command.ts';
import { durationMs } from '../duration.ts';
import { HEALTH_OPTIONS } from '../options/health-options.ts';
import { parseWhole } from './values.ts';

type HealthOptions = OptionValues<typeof HEALTH_OPTIONS>;

/** What the `--health-*` options ask for; the image has a say later. @throws UsageError */
export function parseHealth(options: HealthOptions, restarts: boolean): HealthRequest {
  const test = parseTest('--health-cmd', options.healthCmd);
  const startup = parseStartup(options);
  const isNone = test?.[0] === 'NONE';
  if (options.noHealthcheck && test !== undefined && !isNone)
    throw new UsageError('options --no-healthcheck and --health-cmd exclude each other');
  if ((options.noHealthcheck || isNone) && startup !== undefined)
    throw new UsageError('option --health-startup-cmd needs a health check to go before');
  const onFailure = parseAction(options.healthOnFailure);
  if (onFailure === 'restart' && restarts)
    throw new UsageError('options --health-on-failure restart and --restart exclude each other');
  return {
    isOff: options.noHealthcheck || isNone,
    test,
    intervalMs:
      options.healthInterval === 'disable'
        ? 0
        : time('--health-interval', options.healthInterval, 0),
    timeoutMs: time('--health-timeout', options.healthTimeout, 1),
    retries: count('--health-retries', options.healthRetries, 1),
    startPeriodMs: time('--health-start-period', options.healthStartPeriod, 0),
    startIntervalMs: time('--health-start-interval', options.healthStartInterval, 1),
    startup,
    onFailure,
    logDirectory: parseDestination(options.healthLogDestination),
    maxLogCount: count('--health-max-log-count', options.healthMaxLogCount, 0) ?? 5,
    maxLogSizeBytes: count('--health-max-log-size', options.healthMaxLogSize, 0) ?? 500,
  };
}

/** What `update` changes of a health check; undefined = nothing. @throws UsageError */
export function parseHealthChange(
  options: HealthOptions,
  isSet: (option: string) => boolean,
): ContainerUpdate['health'] {
  if (!Object.keys(HEALTH_OPTIONS).some(isSet)) return undefined;
  const request = parseHealth(options, false);
  const own = <T>(option: keyof HealthOptions, value: T): T | undefined =>
    isSet(option) ? value : undefined;
  const change: HealthChange = {
    ...request,
    startup: parseStartupParts(options),
    onFailure: own('healthOnFailure', request.onFailure),
    logDirectory: own('healthLogDestination', { path: request.logDirectory }),
    maxLogCount: own('healthMaxLogCount', request.maxLogCount),
    maxLogSizeBytes: own('healthMaxLogSize', request.maxLogSizeBytes),
  };
  return (old) => ({ settings: changeHealth(old, change) });
}

function parseStartupParts(options: HealthOptions): Partial<StartupProbe> {
  const successes = count('--health-startup-success', options.healthStartupSuccess, 0);
  const parts = {
    test: parseTest('--health-startup-cmd', options.healthStartupCmd),
    intervalMs: time('--health-startup-interval', options.healthStartupInterval, 1),
    timeoutMs: time('--health-startup-timeout', options.healthStartupTimeout, 1),
    retries: count('--health-startup-retries', options.healthStartupRetries, 0),
    successes: successes === undefined ? undefined : Math.max(1, successes),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
}

function parseStartup(options: HealthOptions): HealthSettings['startup'] {
  const { test, ...parts } = parseStartupParts(options);
  if (test === undefined || test[0] === 'NONE') return undefined;
  return { ...STARTUP_DEFAULTS, ...parts, test };
}

/**
 * A JSON array is executed as it is, anything else by the container's shell, unless it begins with
 * the words of a Dockerfile: `CMD PROGRAM`, `CMD-SHELL COMMAND`. Empty is as good as not given.
 */
function parseTest(option: string, text: string | undefined): string[] | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.toLowerCase() === 'none') return ['NONE'];
  const [, kind, rest = ''] = /^(CMD|CMD-SHELL)\s+(.*)$/s.exec(text.trim()) ?? [];
  if (kind === 'CMD') return ['CMD', ...rest.split(/\s+/)];
  if (kind === 'CMD-SHELL') return ['CMD-SHELL', rest];
  const words = text.startsWith('[') ? parseWords(text) : undefined;
  if (words === undefined) return ['CMD-SHELL', text];
  const test = ['CMD', 'CMD-SHELL', 'NONE'].includes(words[0] ?? '') ? words : ['CMD', ...words];
  if (test.length < 2 && test[0] !== 'NONE') throw new UsageError(`option ${option}: no command`);
  return test[0] === 'CMD-SHELL' ? ['CMD-SHELL', test.slice(1).join(' ')] : test;
}

/** undefined = not JSON after all: `[ -f /ready ]` is a shell's test. */
function parseWords(text: string): string[] | undefined {
  try {
    const words: unknown = JSON.parse(text);
    return Array.isArray(words) && words.every((it) => typeof it === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}

function parseAction(text: string | undefined): HealthSettings['onFailure'] {
  const action = text?.toLowerCase() ?? 'none';
  if (action === 'none' || action === 'kill' || action === 'restart' || action === 'stop')
    return action;
  throw new UsageError(
    `option --health-on-failure: ${JSON.stringify(text)} is not none, kill, restart or stop`,
  );
}

function parseDestination(text: string | undefined): string | undefined {
  // Status changes are events in any case.
  if (text === undefined || text === 'local' || text === 'events_logger') return undefined;
  const directory = resolve(text);
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new TsmanError(`option --health-log-destination ${text}: no such directory`);
  return directory;
}

function time(option: string, text: string | undefined, leastMs: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^[\d.]*[1-9][\d.]*$/.test(text))
    throw new UsageError(`option ${option}: ${JSON.stringify(text)} has no unit`, {
      hint: 'e.g. 500ms, 2s or 1m30s',
    });
  const ms = Math.ceil(durationMs(text, option));
  if (ms < leastMs || ms > 2 ** 32 - 1)
    throw new UsageError(`option ${option}: ${text} is out of range`);
  return ms;
}

function count(option: string, text: string | undefined, least: number): number | undefined {
  return text === undefined ? undefined : parseWhole(option, text, least, 2 ** 31);
}
